// hrvm snapshot delete MACHINE@SNAP: what one thing lies on is merged into it, so that nothing else changes.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"

namespace hrvm::cli {
namespace {

Outcome run_snapshot_delete(const Context& context) {
  const auto [name, snapshot] = snapshot_word(context.arguments.positional(0));
  const auto locked = lock_stopped_machine(context, name);
  const auto change = plan_snapshot_delete(locked.machine, snapshot, draw(context.host, locked.store, locked.machine));
  // What is damaged would be taken into what lies on it, and be sound from then on.
  if (change.merge && !locked.machine.definition.is_on_folder()) {
    locked.store.check_files(locked.machine, state_of(locked.machine, snapshot));
    if (locked.machine.definition.active.head == snapshot) locked.store.check_files(locked.machine);
  }
  if (!context.dry_run()) context.confirm(fmt::format("Delete {}@{}?", name, snapshot));
  return carry_out(context, locked, change,
                   {"snapshot-delete",
                    fmt::format("{}@{} is deleted{}", name, snapshot,
                                change.merge ? ", and what lay on it shows what it showed before" : ""),
                    {}});
}

}  // namespace

const Command snapshot_delete_command = {
    .name = "snapshot delete",
    .summary = "delete a snapshot and keep what lies on it",
    .options = {yes_option(), dry_run_option()},
    .positionals = {{"MACHINE@SNAP", "the snapshot", Completes::snapshot}},
    .run = run_snapshot_delete,
};

}  // namespace hrvm::cli
