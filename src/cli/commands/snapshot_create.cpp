// hrvm snapshot create MACHINE@SNAP: keeps the machine's whole state under a name, whether it runs or not.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/automatic.hpp"
#include "cli/steps/changing.hpp"
#include "cli/views/findings_json.hpp"
#include "cli/views/machine_view.hpp"
#include "hrvm/launch/live_snapshot.hpp"
#include "hrvm/launch/machine_domain.hpp"
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

Outcome create_live(const Context& context, const LockedMachine& locked, const SnapshotWord& named,
                    const std::string& description) {
  const auto& machine = locked.machine;
  auto words = words_for(named);
  const auto pending =
      plan_pending_snapshot(machine, named.snapshot, description, draw(context.host, locked.store, machine));
  if (context.dry_run()) return {.report = report_of_plan(machine, pending, words)};
  std::optional<launch::LiveSnapshot> live;
  change_with_domain(context.host, listener(context), machine, [&] {
    live = make_live_snapshot(context.host, locked.store, machine, pending, freeze_wanted(context.arguments));
    return live->machine;
  });
  words.details = {fmt::format("its guest stood still for {} ms", live->stood.count())};
  auto report = report_of_change(context, live->machine, pending, words);
  set_snapshot(report, live->machine, named.snapshot, live);
  report.human.push_back(report::FindingsView{"findings"});
  return {.report = std::move(report)};
}

Outcome run_snapshot_create(const Context& context) {
  if (context.arguments.has("--auto"))
    return keep_automatically(context, machine_word(context.arguments.positional(0)));
  const auto named = snapshot_word(context.arguments.positional(0));
  const auto description = context.arguments.value("--message").value_or("");
  const auto locked = lock_machine(context, named.machine);
  locked.store.check_files(locked.machine, locked.machine.definition.active);
  if (launch::runs_live(context.host, locked.machine)) return create_live(context, locked, named, description);
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
                dry_run_option()},
    .positionals = {{"MACHINE[@SNAP]", "the machine, and a name that is free; none with --auto", Completes::machine}},
    .run = run_snapshot_create,
};

}  // namespace hrvm::cli
