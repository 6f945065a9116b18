// hrvm snapshot revert MACHINE@SNAP: a new empty layer on the snapshot. What was is kept for undo.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"

namespace hrvm::cli {
namespace {

Outcome run_snapshot_revert(const Context& context) {
  const auto [name, snapshot] = snapshot_word(context.arguments.positional(0));
  const bool discard = context.arguments.has("--discard");
  const auto locked = lock_stopped_machine(context, name);
  const auto change =
      plan_snapshot_revert(locked.machine, snapshot, discard, draw(context.host, locked.store, locked.machine));
  if (!discard) locked.store.check_files(locked.machine, locked.machine.definition.active);
  check_drift(context, locked.machine, change, context.arguments.has("--force"));
  if (discard && !context.dry_run())
    context.confirm(fmt::format("Discard all changes of {} since {}, and what is held for undo?", name,
                                locked.machine.definition.active.head.value_or("its import or last reset")));
  return carry_out(context, locked, change,
                   {"snapshot-revert", fmt::format("{} starts anew from its snapshot {}", name, snapshot),
                    undo_lines(locked.machine, change)});
}

}  // namespace

const Command snapshot_revert_command = {
    .name = "snapshot revert",
    .summary = "start a machine anew from a snapshot",
    .options = {{.name = "--discard", .help = "hold nothing for undo, and discard what older steps hold"},
                {.name = "--force", .help = "go on although the disk has changed since"},
                yes_option(),
                dry_run_option()},
    .positionals = {{"MACHINE@SNAP", "the snapshot", Completes::snapshot}},
    .run = run_snapshot_revert,
};

}  // namespace hrvm::cli
