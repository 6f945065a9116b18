// hrvm snapshot auto [MACHINE…]: what a timer calls. An automatic snapshot of each machine that is to have them, then
// what no rule keeps goes. One that fails does not keep the others from it.
#include <fmt/core.h>

#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/automatic.hpp"
#include "cli/steps/changing.hpp"
#include "cli/steps/pruning.hpp"
#include "cli/steps/several.hpp"
#include "cli/words/named_machine.hpp"
#include "cli/words/retention_words.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/machine/bisect.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;

struct Turn {
  std::string machine;
  std::optional<std::string> made, unchanged_since;
  Pruning pruning = {};
  std::optional<std::string> failure = {};
};

void tell(const Context& context, Error error, Turn& turn) {
  if (error.kind() == ErrorKind::interrupted) throw std::move(error);
  turn.failure = error.message();
  if (error.message().find(turn.machine) == std::string::npos) error.while_doing(turn.machine);
  print_error(context.host.streams.err, error, message_style(context.host, context.arguments));
}

// With --dry-run what would be there then is what is pruned.
void make_snapshot(const Context& context, Turn& turn, const machine::RetentionRequest& request) {
  auto locked = lock_machine(context, turn.machine);
  const auto plan = plan_automatic(context, locked, "");
  if (!context.dry_run()) make_planned(context, locked, plan);
  (plan.change ? turn.made : turn.unchanged_since) = plan.snapshot;
  if (!context.dry_run()) return;
  locked.machine.definition = planned(plan, locked, draw(context.host, locked.store));
  turn.pruning = {turn.machine, plan_prune(locked.machine, request, bisected_layers(locked.machine))};
}

// One that runs in a way in which its layers cannot be merged is pruned another time.
void prune_machine(const Context& context, Turn& turn, const machine::RetentionRequest& request) {
  turn.pruning = plan_pruning(context, turn.machine, request);
  try {
    prune(context, request, turn.pruning, Removal::at_once);  // nobody looks: what is held would only pile up
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::busy) throw;
    if (!turn.failure) context.note(error.message());
  }
}

Turn take_turn(const Context& context, const std::string& name, machine::RetentionRequest request) {
  Turn turn{name, {}, {}};
  request.now = context.host.now();
  try {
    make_snapshot(context, turn, request);
  } catch (const Error& error) {
    tell(context, error, turn);
  }
  request.now = context.host.now();  // what was just made is not from the future, however long that took
  try {
    if (!context.dry_run()) prune_machine(context, turn, request);
  } catch (const Error& error) {
    tell(context, error, turn);
  }
  return turn;
}

Json to_json(const Turn& turn) {
  const auto going = count_of_going(turn.pruning);
  return Json::object()
      .set("machine", turn.machine)
      .set("snapshot", turn.made)
      .set("unchanged_since", turn.unchanged_since)
      .set("removed", going)
      .set("kept", turn.pruning.verdicts.size() - going)
      .set("error", turn.failure);
}

report::Report report_of(const Context& context, const std::vector<Turn>& turns, const std::string& zone) {
  Json machines = Json::array();
  std::vector<std::string> names;
  for (const auto& turn : turns) {
    machines.push(to_json(turn));
    if (turn.made) names.push_back(turn.machine + "@" + *turn.made);
  }
  Json data;
  data.set("timezone", zone).set("machines", std::move(machines));
  using report::Align;
  using report::Format;
  return {.schema = context.dry_run() ? "hrvm.snapshot-auto-plan/1" : "hrvm.snapshot-auto/1",
          .data = std::move(data),
          .human = {report::TableView{
              .rows = "machines",
              .columns = {{"MACHINE", "machine"},
                          {context.dry_run() ? "WOULD MAKE" : "MADE", "snapshot"},
                          {"UNCHANGED SINCE", "unchanged_since"},
                          {context.dry_run() ? "WOULD REMOVE" : "REMOVED", "removed", Format::text, Align::right},
                          {"LEFT", "kept", Format::text, Align::right}},
              .when_empty = "No machine is to have automatic snapshots. hrvm set MACHINE auto-snapshot=on has it so."}},
          .plain = {.rows = "machines",
                    .columns = {{"", "machine"},
                                {"", "snapshot"},
                                {"", "unchanged_since"},
                                {"", "removed"},
                                {"", "kept"},
                                {"", "error"}}},
          .names = std::move(names)};
}

// Those that are named, or else those that are to have them.
std::vector<std::string> machines_of(const Context& context, int& status) {
  std::vector<std::string> names;
  if (!context.arguments.positionals().empty()) {
    for (const auto& word : words_given(context.arguments)) names.push_back(machine_word(word));
    return names;
  }
  const auto store = open_store(context);
  status = for_each(context, store.names(), [&](const std::string& name) {
    if (store.load(name).definition.auto_snapshot) names.push_back(name);
  });
  return names;
}

Outcome run_snapshot_auto(const Context& context) {
  const auto zone = time_zone(context);
  const auto request = retention_request(context, zone, context.host.now());
  int status = 0;
  std::vector<Turn> turns;
  for (const auto& name : machines_of(context, status)) turns.push_back(take_turn(context, name, request));
  if (std::ranges::any_of(turns, [](const Turn& turn) { return turn.failure.has_value(); })) status = 1;
  return {.report = report_of(context, turns, zone.name()), .status = status};
}

std::vector<Option> options() {
  auto all = retention_options();
  all.push_back(dry_run_option());
  return all;
}

}  // namespace

const Command snapshot_auto_command = {
    .name = "snapshot auto",
    .summary = "what a timer calls: automatic snapshots of all machines that want them, and pruning",
    .options = options(),
    .positionals = {{"MACHINE", "the machines; those with auto-snapshot=on where none is named", Completes::machine,
                     Positional::Count::any}},
    .run = run_snapshot_auto,
};

}  // namespace hrvm::cli
