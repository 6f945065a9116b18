// hrvm snapshot create MACHINE@SNAP: keeps the machine's whole state under a name, whether it runs or not.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/automatic.hpp"
#include "cli/steps/changing.hpp"
#include "cli/steps/live_create.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/machine/pending_snapshot.hpp"

namespace hrvm::cli {
namespace {

struct Conflict {
  std::string_view option, reason;
};
constexpr Conflict conflicts_with_memory[] = {
    {"--auto", "an automatic snapshot is for retention to remove, and memory is not"},
    {"--freeze", "a guest whose filesystems are held at rest would go on so"}};

void check_conflicts(const Arguments& arguments) {
  if (arguments.has("--allow-low-space") && !arguments.has("--with-memory"))
    throw base::Error(base::ErrorKind::usage, "--allow-low-space is for --with-memory");
  for (const auto& [option, reason] : conflicts_with_memory)
    if (arguments.has("--with-memory") && arguments.has(option))
      throw base::Error(base::ErrorKind::usage,
                        fmt::format("--with-memory and {} cannot stand together: {}", option, reason));
}

base::Error has_no_memory(const std::string& name) {
  return base::Error(base::ErrorKind::not_found, fmt::format("{} is not running, and has no memory to save", name))
      .hint(fmt::format("leave out --with-memory, or boot it first: hrvm boot {} --detach", name));
}

Outcome run_snapshot_create(const Context& context) {
  check_conflicts(context.arguments);
  if (context.arguments.has("--auto"))
    return keep_automatically(context, machine_word(context.arguments.positional(0)));
  const auto named = snapshot_word(context.arguments.positional(0));
  const auto description = context.arguments.value("--message").value_or("");
  const auto locked = lock_machine(context, named.machine);
  locked.store.check_files(locked.machine, locked.machine.definition.active);
  const auto drawn = draw(context.host, locked.store, locked.machine);
  if (launch::runs_live(context.host, locked.machine))
    return create_live(context, locked, plan_pending_snapshot(locked.machine, named.snapshot, description, drawn));
  if (context.arguments.has("--with-memory")) throw has_no_memory(named.machine);
  const auto change = plan_snapshot_create(locked.machine, named.snapshot, description, drawn);
  auto outcome = carry_out(context, locked, change, words_of_snapshot(named.machine, named.snapshot));
  if (!context.dry_run()) set_snapshot(*outcome.report, locked.store.load(named.machine), named.snapshot, std::nullopt);
  return outcome;
}

}  // namespace

const Command snapshot_create_command = {
    .name = "snapshot create",
    .summary = "keep a machine's whole state under a name",
    .options = {{.name = "--message", .letter = 'm', .value = "TEXT", .help = "what the snapshot is for"},
                {.name = "--auto",
                 .help = "draw the name, make none where nothing changed, and leave it to prune to remove"},
                {.name = "--freeze",
                 .value = "WHEN",
                 .help = "have the agent of a guest that runs hold its filesystems at rest (auto)",
                 .choices = {"auto", "require", "never"}},
                {.name = "--with-memory",
                 .help = "also what its guest has in memory, from which boot --resume goes on"},
                {.name = "--allow-low-space", .help = "save memory although that may fill the store"},
                dry_run_option()},
    .positionals = {{"MACHINE[@SNAP]", "the machine, and a name that is free; none with --auto", Completes::machine}},
    .run = run_snapshot_create,
};

}  // namespace hrvm::cli
