// hrvm bisect good MACHINE [SNAP…]: a state is good, as far as the search goes.
#include "cli/commands/commands.hpp"
#include "cli/steps/bisecting.hpp"

namespace hrvm::cli {
namespace {

Outcome run_bisect_good(const Context& context) { return say_verdict(context, machine::BisectVerdict::good); }

}  // namespace

const Command bisect_good_command = {
    .name = "bisect good",
    .summary = "say that a state is good",
    .positionals = verdict_positionals(),
    .run = run_bisect_good,
};

}  // namespace hrvm::cli
