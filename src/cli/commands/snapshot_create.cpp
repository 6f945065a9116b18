// hrvm snapshot create MACHINE@SNAP: keeps the machine's whole state under a name, whether it runs or not.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/automatic.hpp"
#include "cli/steps/changing.hpp"
#include "cli/views/findings_json.hpp"
#include "cli/views/machine_view.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/launch/live_snapshot.hpp"
#include "hrvm/launch/machine_domain.hpp"
#include "hrvm/launch/run_record.hpp"
#include "hrvm/machine/pending_snapshot.hpp"

namespace hrvm::cli {
namespace {

using base::Json;

launch::Freeze freeze_wanted(const Arguments& arguments) {
  return base::from_word<launch::Freeze>(arguments.value("--freeze").value_or("auto")).value();
}

ChangeWords words_for(const SnapshotWord& named) {
  const auto word = named.machine + "@" + named.snapshot;
  ChangeWords words{"snapshot-create",
                    fmt::format("{} keeps {} as it is now", word, named.machine),
                    {"go back to it:  hrvm snapshot revert " + word}};
  words.made = word;
  return words;
}

// What tells how it was made, and how good it is.
void set_snapshot(report::Report& report, const machine::Machine& machine, const std::string& name,
                  const std::optional<launch::LiveSnapshot>& live) {
  report.data.set("live", live.has_value()).set("frozen_ms", live ? Json(std::uint64_t(live->stood.count())) : Json());
  report.data.set("snapshot", snapshot_json(machine, snapshot_of(machine, name)));
  report.data.set("findings", findings_json(live ? live->findings : std::vector<base::Finding>()));
}

std::uint64_t memory_bytes(const sys::Host& host, const machine::Machine& machine) {
  const auto record = launch::run_record(machine::run_folder(host, machine.definition));
  return record ? record->memory_bytes : machine.definition.active.hardware.memory_bytes;
}

std::vector<std::string> details_of(const launch::LiveSnapshot& live, const machine::Snapshot& snapshot) {
  std::vector<std::string> details = {fmt::format("its guest stood still for {} ms", live.stood.count())};
  if (snapshot.memory)
    details.push_back(fmt::format("its memory takes {}", base::format_bytes(snapshot.memory->size_bytes)));
  return details;
}

Outcome create_live(const Context& context, const LockedMachine& locked, const SnapshotWord& named,
                    const std::string& description) {
  const auto& machine = locked.machine;
  auto words = words_for(named);
  const auto pending =
      plan_pending_snapshot(machine, named.snapshot, description, draw(context.host, locked.store, machine));
  if (context.dry_run()) return {.report = report_of_plan(machine, pending, words)};
  const auto& arguments = context.arguments;
  sys::Progress progress(context.host, "Saving the memory of " + machine.name, memory_bytes(context.host, machine),
                         context.quiet);
  const launch::LiveRequest request{.freeze = freeze_wanted(arguments),
                                    .with_memory = arguments.has("--with-memory"),
                                    .allow_low_space = arguments.has("--allow-low-space"),
                                    .machine_lock = locked.lock.fd(),
                                    .progress = [&](std::uint64_t done) { progress.at(done); }};
  std::optional<launch::LiveSnapshot> live;
  change_with_domain(context.host, listener(context), machine, [&] {
    live = make_live_snapshot(context.host, locked.store, machine, pending, request);
    return live->machine;
  });
  words.details = details_of(*live, snapshot_of(live->machine, named.snapshot));
  if (request.with_memory)
    words.next = {fmt::format("go on from it:  hrvm boot {}@{} --resume", named.machine, named.snapshot)};
  auto report = report_of_change(context, live->machine, pending, words);
  set_snapshot(report, live->machine, named.snapshot, live);
  report.human.push_back(report::FindingsView{"findings"});
  return {.report = std::move(report)};
}

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
  if (launch::runs_live(context.host, locked.machine)) return create_live(context, locked, named, description);
  if (context.arguments.has("--with-memory")) throw has_no_memory(named.machine);
  const auto change = plan_snapshot_create(locked.machine, named.snapshot, description,
                                           draw(context.host, locked.store, locked.machine));
  auto outcome = carry_out(context, locked, change, words_for(named));
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
