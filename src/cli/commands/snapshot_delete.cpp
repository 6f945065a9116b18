// hrvm snapshot delete MACHINE@SNAP…: the name goes, and the layer is held for undo. With --discard what one thing lies
// on is merged into it, so that nothing else changes.
#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"
#include "cli/steps/several.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/bisect.hpp"

namespace hrvm::cli {
namespace {

using base::Json;

bool discards(const Context& context) { return context.arguments.has("--discard"); }

LockedMachine lock(const Context& context, const std::string& name) {
  return discards(context) ? lock_machine_to_merge(context, name) : lock_machine(context, name);
}

machine::Change plan_unchecked(const Context& context, const LockedMachine& locked, const std::string& snapshot) {
  const auto drawn = draw(context.host, locked.store, locked.machine);
  if (discards(context)) return plan_snapshot_delete(locked.machine, snapshot, drawn);
  return plan_snapshot_put_away(locked.machine, {snapshot}, "snapshot delete", drawn);
}

machine::Change plan(const Context& context, const LockedMachine& locked, const std::string& snapshot) {
  machine::check_not_bisected(locked.machine, snapshot);
  auto change = plan_unchecked(context, locked, snapshot);
  check_merged(locked, change);
  return change;
}

std::string_view what_of_others(const machine::Change& change) {
  if (change.definition.log.back().holds_something()) return ", and held for undo: nothing is freed yet";
  if (change.nameless) return ", and its layer stays for what lies on it";
  return change.merge ? ", and what lay on it shows what it showed before" : "";
}

Outcome carry_out(const Context& context, LockedMachine& locked, const machine::Change& change,
                  const std::string& snapshot) {
  auto outcome = carry_out(
      context, locked, change,
      {"snapshot-delete", fmt::format("{}@{} is deleted{}", locked.machine.name, snapshot, what_of_others(change)),
       discards(context) ? std::vector<std::string>() : lines_of_held(locked.machine, change)});
  outcome.report->data.set("undo", !discards(context));
  if (!context.dry_run() && discards(context)) merge_nameless(context, locked);
  return outcome;
}

Outcome delete_one(const Context& context, const std::string& word) {
  const auto [name, snapshot] = snapshot_word(word);
  auto locked = lock(context, name);
  const auto change = plan(context, locked, snapshot);
  if (!context.dry_run()) context.confirm(fmt::format("Delete {}@{}?", name, snapshot));
  return carry_out(context, locked, change, snapshot);
}

// What lies on another goes before it: a snapshot that several lie on may be free by then.
std::vector<std::string> children_first(const Context& context, std::vector<std::string> words) {
  const auto store = open_store(context);
  std::map<std::string, std::size_t> places;
  for (const auto& word : words) {
    const auto [name, snapshot] = snapshot_word(word);
    const auto machine = store.load(name);
    const auto& found = snapshot_of(machine, snapshot);
    places[word] = std::size_t(&found - machine.definition.snapshots.data());
  }
  std::stable_sort(words.begin(), words.end(),
                   [&](const auto& a, const auto& b) { return places.at(a) > places.at(b); });
  return words;
}

report::Report report_of(const Context& context, std::vector<report::Report> reports) {
  Json list = Json::array();
  std::vector<report::View> human;
  for (auto& each : reports) {
    list.push(std::move(each.data));
    human.insert(human.end(), each.human.begin(), each.human.end());
  }
  if (context.dry_run() && !reports.empty())
    human = {report::EachView{.rows = "snapshots", .heading = {}, .views = reports.front().human}};
  return {.schema = reports.empty() ? "hrvm.snapshot-delete/1" : reports.front().schema,
          .data = Json::object().set("snapshots", std::move(list)),
          .human = std::move(human),
          .plain = {.rows = "snapshots", .columns = {{"", "machine"}, {"", "head"}}}};
}

// With --dry-run each is planned on what the machine would be by then.
Outcome delete_several(const Context& context, const std::vector<std::string>& given) {
  const auto words = children_first(context, given);
  if (!context.dry_run()) context.confirm(fmt::format("Delete {}?", base::join(given, ", ")));
  std::vector<report::Report> reports;
  std::map<std::string, machine::Definition> planned;
  const int status = for_each(context, words, [&](const std::string& word) {
    const auto [name, snapshot] = snapshot_word(word);
    auto locked = lock(context, name);
    if (const auto before = planned.find(name); before != planned.end()) locked.machine.definition = before->second;
    const auto change = context.dry_run() ? plan_unchecked(context, locked, snapshot) : plan(context, locked, snapshot);
    if (context.dry_run()) planned[name] = change.definition;
    reports.push_back(*carry_out(context, locked, change, snapshot).report);
  });
  return {.report = report_of(context, std::move(reports)), .status = status};
}

Outcome run_snapshot_delete(const Context& context) {
  const auto words = words_given(context.arguments);
  return words.size() == 1 ? delete_one(context, words.front()) : delete_several(context, words);
}

}  // namespace

const Command snapshot_delete_command = {
    .name = "snapshot delete",
    .summary = "delete snapshots and keep what lies on them",
    .options = {{.name = "--discard", .help = "hold nothing for undo: merge layers, and free what they took, at once"},
                yes_option(),
                dry_run_option()},
    .positionals = {{"MACHINE@SNAP", "the snapshots", Completes::snapshot, Positional::Count::some}},
    .run = run_snapshot_delete,
};

}  // namespace hrvm::cli
