// hrvm snapshot create MACHINE@SNAP: keeps the machine's whole state under a name.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/automatic.hpp"
#include "cli/steps/changing.hpp"

namespace hrvm::cli {
namespace {

Outcome run_snapshot_create(const Context& context) {
  if (context.arguments.has("--auto"))
    return keep_automatically(context, machine_word(context.arguments.positional(0)));
  const auto [name, snapshot] = snapshot_word(context.arguments.positional(0));
  const auto locked = lock_stopped_machine(context, name);
  locked.store.check_files(locked.machine, locked.machine.definition.active);
  const auto change = plan_snapshot_create(locked.machine, snapshot, context.arguments.value("--message").value_or(""),
                                           draw(context.host, locked.store, locked.machine));
  ChangeWords words{"snapshot-create",
                    fmt::format("{}@{} keeps {} as it is now", name, snapshot, name),
                    {fmt::format("go back to it:  hrvm snapshot revert {}@{}", name, snapshot)}};
  words.made = name + "@" + snapshot;
  return carry_out(context, locked, change, words);
}

}  // namespace

const Command snapshot_create_command = {
    .name = "snapshot create",
    .summary = "keep a machine's whole state under a name",
    .options = {{.name = "--message", .letter = 'm', .value = "TEXT", .help = "what the snapshot is for"},
                {.name = "--auto",
                 .help = "draw the name, make none where nothing changed, and leave it to prune to remove"},
                dry_run_option()},
    .positionals = {{"MACHINE[@SNAP]", "the machine, and a name that is free; none with --auto", Completes::machine}},
    .run = run_snapshot_create,
};

}  // namespace hrvm::cli
