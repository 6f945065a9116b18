// hrvm bisect reset MACHINE: ends the search. No state of the machine is touched.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/bisecting.hpp"

namespace hrvm::cli {
namespace {

// What cannot be read goes as well: this is the way out of it.
Outcome run_bisect_reset(const Context& context) {
  const auto locked = lock_machine(context, machine_word(context.arguments.positional(0)));
  const bool was_begun = forget_bisect(locked.machine);
  const auto& name = locked.machine.name;
  const auto sentence =
      was_begun ? fmt::format("The bisect of {} is over.", name) : fmt::format("No bisect of {} was begun.", name);
  return {.report = report::Report{
              .schema = "hrvm.bisect-reset/1",
              .data = base::Json::object().set("machine", locked.machine.name).set("was_begun", was_begun),
              .human = {report::TextView{sentence}},
              .plain = {.columns = {{"", "machine"}, {"", "was_begun"}}}}};
}

}  // namespace

const Command bisect_reset_command = {
    .name = "bisect reset",
    .summary = "end a search; the machine stays as it is",
    .positionals = {{"MACHINE", "the machine", Completes::machine}},
    .run = run_bisect_reset,
};

}  // namespace hrvm::cli
