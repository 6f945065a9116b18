// hrvm bisect bad MACHINE [SNAP…]: a state is bad.
#include "cli/commands/commands.hpp"
#include "cli/steps/bisecting.hpp"

namespace hrvm::cli {
namespace {

Outcome run_bisect_bad(const Context& context) { return say_verdict(context, machine::BisectVerdict::bad); }

}  // namespace

const Command bisect_bad_command = {
    .name = "bisect bad",
    .summary = "say that a state is bad",
    .positionals = verdict_positionals(),
    .run = run_bisect_bad,
};

}  // namespace hrvm::cli
