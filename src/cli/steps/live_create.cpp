#include "cli/steps/live_create.hpp"

#include <fmt/core.h>

#include "cli/messages.hpp"
#include "cli/views/findings_json.hpp"
#include "cli/views/machine_view.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/launch/machine_domain.hpp"
#include "hrvm/launch/run_record.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::cli {

namespace {

using base::Json;

// What the guest has now, which may be otherwise than the machine is set.
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

}  // namespace

launch::Freeze freeze_wanted(const Arguments& arguments) {
  return base::from_word<launch::Freeze>(arguments.value("--freeze").value_or("auto")).value();
}

launch::LiveSnapshot make_live(const Context& context, const LockedMachine& locked, const machine::Change& pending,
                               const launch::LiveRequest& request) {
  std::optional<launch::LiveSnapshot> live;
  change_with_domain(context.host, listener(context), locked.machine, [&] {
    live = make_live_snapshot(context.host, locked.store, locked.machine, pending, request);
    return live->machine;
  });
  return *std::move(live);
}

ChangeWords words_of_snapshot(const std::string& machine, const std::string& snapshot) {
  const auto word = machine + "@" + snapshot;
  ChangeWords words{"snapshot-create",
                    fmt::format("{} keeps {} as it is now", word, machine),
                    {"go back to it:  hrvm snapshot revert " + word}};
  words.made = word;
  return words;
}

void set_snapshot(report::Report& report, const machine::Machine& machine, const std::string& name,
                  const std::optional<launch::LiveSnapshot>& live) {
  report.data.set("live", live.has_value()).set("frozen_ms", live ? Json(std::uint64_t(live->stood.count())) : Json());
  report.data.set("snapshot", snapshot_json(machine, snapshot_of(machine, name)));
  report.data.set("findings", findings_json(live ? live->findings : std::vector<base::Finding>()));
}

Outcome create_live(const Context& context, const LockedMachine& locked, const machine::Change& pending) {
  const auto& snapshot = pending.definition.pending->name;
  auto words = words_of_snapshot(locked.machine.name, snapshot);
  if (context.dry_run()) return {.report = report_of_plan(locked.machine, pending, words)};
  const auto& arguments = context.arguments;
  sys::Progress progress(context.host, "Saving the memory of " + locked.machine.name,
                         memory_bytes(context.host, locked.machine), context.quiet);
  const auto live = make_live(context, locked, pending,
                              {.freeze = freeze_wanted(arguments),
                               .with_memory = arguments.has("--with-memory"),
                               .allow_low_space = arguments.has("--allow-low-space"),
                               .machine_lock = locked.lock.fd(),
                               .progress = [&](std::uint64_t done) { progress.at(done); }});
  words.details = details_of(live, snapshot_of(live.machine, snapshot));
  if (arguments.has("--with-memory"))
    words.next = {fmt::format("go on from it:  hrvm boot {}@{} --resume", locked.machine.name, snapshot)};
  auto report = report_of_change(context, live.machine, pending, words);
  set_snapshot(report, live.machine, snapshot, live);
  report.human.push_back(report::FindingsView{"findings"});
  return {.report = std::move(report)};
}

}  // namespace hrvm::cli
