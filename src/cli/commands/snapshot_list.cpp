// hrvm snapshot list [MACHINE]: its snapshots, or those of all, parents before children.
#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"
#include "cli/steps/several.hpp"
#include "cli/views/machine_view.hpp"
#include "cli/words/named_machine.hpp"

namespace hrvm::cli {
namespace {

using base::Json;

std::vector<report::View> views(const machine::Machine& machine) {
  auto table = snapshot_table();
  table.when_empty = "No snapshots. hrvm snapshot create " + machine.name + "@NAME makes one.";
  return {std::move(table),
          report::FieldsView{.fields = {{"The machine is on", "head"},
                                        {"Kept without a name", "nameless_bytes", report::Format::bytes}}}};
}

std::vector<report::View> views_of_all() {
  auto table = snapshot_table();
  table.columns.insert(table.columns.begin(), {"MACHINE", "machine"});
  table.when_empty = "No snapshots. hrvm snapshot create MACHINE@NAME makes one.";
  return {std::move(table)};
}

void add(const machine::Machine& machine, Json& snapshots) {
  const auto of_machine = snapshots_json(machine);
  for (auto snapshot : of_machine.items()) snapshots.push(snapshot.set("machine", machine.name));
}

// As other commands take them.
std::vector<std::string> names_of(const Json& snapshots) {
  std::vector<std::string> names;
  for (const auto& snapshot : snapshots.items())
    names.push_back(snapshot["machine"].text().value_or("") + "@" + snapshot["name"].text().value_or(""));
  return names;
}

report::Report report_of(Json data, std::vector<report::View> views) {
  auto plain = snapshot_lines();
  plain.columns.insert(plain.columns.end(), {{"", "machine"}, {"", "auto"}});
  auto names = names_of(data["snapshots"]);
  return {.schema = "hrvm.snapshot-list/1",
          .data = std::move(data),
          .human = std::move(views),
          .plain = std::move(plain),
          .names = std::move(names)};
}

Outcome list_all(const Context& context) {
  const auto store = open_store(context);
  Json snapshots = Json::array();
  const int status = for_each(context, store.names(), [&](const auto& name) { add(store.load(name), snapshots); });
  Json data;
  data.set("machine", nullptr).set("head", nullptr).set("snapshots", std::move(snapshots));
  data.set("nameless_bytes", nullptr);
  return {.report = report_of(std::move(data), views_of_all()), .status = status};
}

Outcome run_snapshot_list(const Context& context) {
  if (context.arguments.positionals().empty()) return list_all(context);
  const auto machine = open_store(context).load(machine_word(context.arguments.positional(0)));
  Json snapshots = Json::array();
  add(machine, snapshots);
  Json data;
  data.set("machine", machine.name).set("head", machine.definition.named(machine.definition.active.head));
  data.set("snapshots", std::move(snapshots)).set("nameless_bytes", nameless_bytes(machine));
  return {.report = report_of(std::move(data), views(machine))};
}

}  // namespace

const Command snapshot_list_command = {
    .name = "snapshot list",
    .summary = "list the snapshots of a machine, or of all",
    .positionals = {{"MACHINE", "the machine; all where none is named", Completes::machine,
                     Positional::Count::optional}},
    .run = run_snapshot_list,
};

}  // namespace hrvm::cli
