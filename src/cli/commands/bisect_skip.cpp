// hrvm bisect skip MACHINE [SNAP…]: a state cannot be tested, or a verdict is taken back.
#include "cli/commands/commands.hpp"
#include "cli/steps/bisecting.hpp"

namespace hrvm::cli {
namespace {

Outcome run_bisect_skip(const Context& context) { return say_verdict(context, machine::BisectVerdict::skip); }

}  // namespace

const Command bisect_skip_command = {
    .name = "bisect skip",
    .summary = "say that a state cannot be tested",
    .positionals = verdict_positionals(),
    .run = run_bisect_skip,
};

}  // namespace hrvm::cli
