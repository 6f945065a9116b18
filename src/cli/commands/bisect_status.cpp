// hrvm bisect status MACHINE: what was tested, and what is next.
#include "cli/commands/commands.hpp"
#include "cli/steps/bisecting.hpp"
#include "cli/views/bisect_view.hpp"
#include "cli/words/named_machine.hpp"

namespace hrvm::cli {
namespace {

Outcome run_bisect_status(const Context& context) {
  const auto machine = open_store(context).load(machine_word(context.arguments.positional(0)));
  return {.report = bisect_report("bisect-status", machine, begun_bisect(machine))};
}

}  // namespace

const Command bisect_status_command = {
    .name = "bisect status",
    .summary = "tell how far a search has come",
    .positionals = {{"MACHINE", "the machine", Completes::machine}},
    .run = run_bisect_status,
};

}  // namespace hrvm::cli
