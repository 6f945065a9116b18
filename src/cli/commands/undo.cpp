// hrvm undo MACHINE: takes the last reset or revert back; a second undo takes the first back.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"

namespace hrvm::cli {
namespace {

Outcome run_undo(const Context& context) {
  const auto name = machine_word(context.arguments.positional(0));
  const auto locked = lock_stopped_machine(context, name);
  const auto change = plan_undo(locked.machine);
  locked.store.check_files(locked.machine, change.definition.active);
  check_drift(context, locked.machine, change, context.arguments.has("--force"));
  return carry_out(context, locked, change,
                   {"undo",
                    fmt::format("{} is as it was before the last reset or revert", name),
                    {"take this back:  hrvm undo " + name}});
}

}  // namespace

const Command undo_command = {
    .name = "undo",
    .summary = "take the last reset or revert of a machine back",
    .options = {{.name = "--force", .help = "go on although the disk has changed since"}, dry_run_option()},
    .positionals = {{"MACHINE", "the machine", Completes::machine}},
    .run = run_undo,
};

}  // namespace hrvm::cli
