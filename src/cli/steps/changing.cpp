#include "cli/steps/changing.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "cli/messages.hpp"
#include "cli/steps/running.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/live_delete.hpp"
#include "hrvm/launch/machine_domain.hpp"
#include "hrvm/launch/runs.hpp"
#include "hrvm/launch/settled.hpp"
#include "hrvm/machine/folder_layer.hpp"
#include "hrvm/machine/neighbours.hpp"
#include "hrvm/machine/objection.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;

std::string merged_text(const machine::Change& change) {
  const auto& definition = change.definition;
  const auto& child = change.merge->merged.empty() ? change.merge->child : change.merge->merged;
  return fmt::format("{} into {}", definition.layer_file(change.merge->parent), definition.layer_file(child));
}

// What was in a layer that was merged is there still.
std::vector<std::string> removed(const machine::Change& change) {
  auto files = change.discards;
  if (!change.merge) return files;
  for (std::size_t disk = 0; disk < change.definition.disks.size(); ++disk)
    std::erase(files, change.definition.layer_file(change.merge->parent, disk));
  return files;
}

std::vector<sys::Path> discarded_files(const machine::Machine& machine, const machine::Change& change) {
  std::vector<sys::Path> files;
  for (const auto& file : change.discards) files.push_back(machine.folder / file);
  return files;
}

std::uint64_t bytes_freed(const machine::Machine& machine, const machine::Change& change) {
  std::uint64_t bytes = 0;
  for (const auto& file : removed(change))
    if (sys::status(machine.folder / file).type != sys::FileType::missing)
      bytes += machine::allocated_bytes(machine.folder / file);
  return bytes;
}

std::string removed_text(const machine::Change& change, std::uint64_t bytes) {
  return fmt::format("{} ({})", base::join(removed(change), ", "), base::format_bytes(bytes));
}

}  // namespace

report::Report report_of_plan(const machine::Machine& machine, const machine::Change& change,
                              const ChangeWords& words) {
  Json data;
  data.set("machine", machine.name).set("plan", to_json(change));
  report::Report report{.schema = "hrvm." + words.command + "-plan/1",
                        .data = data,
                        .human = {report::FieldsView{.title = "",
                                                     .object = "plan",
                                                     .fields = {{"Would do", "what"},
                                                                {"Makes", "creates"},
                                                                {"Merges", "merges.from"},
                                                                {"into", "merges.into"},
                                                                {"Removes", "discards"},
                                                                {"Keeps without a name", "nameless"},
                                                                {"Note", "warnings"}}}}};
  for (const auto& line : words.details) report.human.push_back(report::TextView{"  " + line});
  return report;
}

report::Report report_of_change(const Context& context, const machine::Machine& machine, const machine::Change& change,
                                const ChangeWords& words, std::uint64_t bytes_freed) {
  const auto& definition = machine.definition;
  Json data;
  data.set("machine", machine.name).set("head", definition.named(definition.active.head));
  data.set("can_undo", step_to_undo(definition) != nullptr).set("changes", to_json(change));
  std::vector<report::View> human = {report::TextView{words.done}};
  for (const auto& line : words.details) human.push_back(report::TextView{"  " + line});
  if (change.merge) human.push_back(report::TextView{"  merged:  " + merged_text(change)});
  if (!removed(change).empty()) human.push_back(report::TextView{"  removed:  " + removed_text(change, bytes_freed)});
  for (const auto& line : context.quiet ? std::vector<std::string>() : words.next)
    human.push_back(report::TextView{"  " + line});
  report::Report report{.schema = "hrvm." + words.command + "/1",
                        .data = data,
                        .human = human,
                        .plain = {.columns = {{"", "machine"}, {"", "head"}}}};
  if (words.made) report.names = {*words.made};
  return report;
}

std::string machine_word(const std::string& word) {
  const auto named = named_machine(word);
  if (!named.snapshot) return named.machine;
  throw Error(ErrorKind::usage, fmt::format("\"{}\" names a snapshot, where a machine is meant", base::printable(word)))
      .hint(fmt::format("name the machine: {}", base::printable(named.machine)));
}

SnapshotWord snapshot_word(const std::string& word) {
  const auto named = named_snapshot(word);
  return {named.machine, *named.snapshot};
}

static std::uint64_t bytes_of_disks(const machine::Definition& definition) {
  std::uint64_t bytes = 0;
  for (const auto& disk : definition.disks) bytes += disk.size_bytes;
  return bytes;
}

LockedMachine lock_machine(const Context& context, const std::string& name) {
  auto store = open_store(context);
  auto lock = store.lock(name);
  auto machine = launch::load_settled(context.host, store, name);
  return {std::move(store), std::move(lock), std::move(machine)};
}

LockedMachine lock_stopped_machine(const Context& context, const std::string& name) {
  auto locked = lock_machine(context, name);
  launch::check_stopped(context.host, locked.machine, "changed");
  return locked;
}

LockedMachine lock_machine_to_merge(const Context& context, const std::string& name) {
  auto locked = lock_machine(context, name);
  launch::runs_in_own_qemu(context.host, locked.machine);
  return locked;
}

LockedMachine lock_machine_to_stop(const Context& context, const std::string& name, bool stops) {
  if (stops) stop_first(context, name);
  try {
    return lock_stopped_machine(context, name);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::busy || !error.hint().starts_with("stop it first")) throw;
    throw Error(error.kind(), error.message()).hint(error.hint() + ", or add --stop");
  }
}

std::vector<std::string> undo_lines(const machine::Machine& machine, const machine::Change& change) {
  if (!change.definition.log.back().held) return {};
  return {"take it back:  hrvm undo " + machine.name};
}

std::uint64_t bytes_held(const machine::Machine& machine, const machine::Step& step) {
  std::uint64_t bytes = step.held ? machine::allocated_bytes(machine, step.held->layer) : 0;
  for (const auto& snapshot : step.deleted) {
    bytes += machine::allocated_bytes(machine, snapshot.layer);
    if (snapshot.memory) bytes += machine::allocated_if_there(machine.memory_path(snapshot.memory->id)).value_or(0);
  }
  return bytes;
}

std::vector<std::string> lines_of_held(const machine::Machine& machine, const machine::Change& change) {
  const auto& step = change.definition.log.back();
  return {"take it back:  hrvm undo " + machine.name,
          fmt::format("free up to {}:  hrvm undo {} --step {} --discard", base::format_bytes(bytes_held(machine, step)),
                      machine.name, step.number)};
}

machine::Machine make(const Context& context, const LockedMachine& locked, const machine::Change& change,
                      const sys::ProgressCallback& progress) {
  for (const auto& warning : change.warnings) context.warn(warning);
  check_no_base_among(locked.store, locked.machine.name, discarded_files(locked.machine, change));
  return launch::change_with_domain(context.host, listener(context), locked.machine, [&] {
    return launch::apply_live(context.host, locked.store, locked.machine, change, progress, listener(context).note);
  });
}

void check_merged(const LockedMachine& locked, const machine::Change& change) {
  const auto& definition = locked.machine.definition;
  if (!change.merge || definition.is_on_folder()) return;
  const auto& snapshot = *std::ranges::find(definition.snapshots, change.merge->parent, &machine::Snapshot::layer);
  locked.store.check_files(locked.machine, {snapshot.layer, snapshot.nvram, snapshot.hardware, snapshot.parent});
  if (change.merge->child == definition.active.layer) locked.store.check_files(locked.machine);
}

void merge_nameless(const Context& context, LockedMachine& locked) {
  locked.machine = locked.store.load(locked.machine.name);
  while (const auto change = plan_nameless_merge(locked.machine, draw(context.host, locked.store, locked.machine))) {
    check_merged(locked, *change);
    locked.machine = make(context, locked, *change, [](std::uint64_t) { sys::check_interrupted(); });
  }
}

Outcome carry_out(const Context& context, const LockedMachine& locked, const machine::Change& change,
                  const ChangeWords& words) {
  if (context.dry_run()) return {.report = report_of_plan(locked.machine, change, words)};
  const auto freed = bytes_freed(locked.machine, change);
  const auto total = change.merge ? bytes_of_disks(locked.machine.definition) : 0;
  sys::Progress progress(context.host, "Merging layers of " + locked.machine.name, total, context.quiet);
  const auto changed = make(context, locked, change, [&](std::uint64_t done) { progress.at(done); });
  return {.report = report_of_change(context, changed, change, words, freed)};
}

void check_drift(const Context& context, const machine::Machine& machine, const machine::Change& change, bool force) {
  if (const auto& head = change.definition.active.head)
    open_store(context).check_files(machine, machine::state_of(machine, *head));
  const auto base = examine_base(context.host, change.definition, change.definition.active);
  heed(objections(machine, base, machine::Purpose::revert), force, listener(context).warn);
}

}  // namespace hrvm::cli
