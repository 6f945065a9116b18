// hrvm snapshot list MACHINE: its snapshots, parents before children.
#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"
#include "cli/views/machine_view.hpp"
#include "cli/words/named_machine.hpp"

namespace hrvm::cli {
namespace {

std::vector<report::View> views(const machine::Machine& machine) {
  auto table = snapshot_table();
  table.when_empty = "No snapshots. hrvm snapshot create " + machine.name + "@NAME makes one.";
  return {std::move(table), report::FieldsView{.fields = {{"The machine is on", "head"}}}};
}

Outcome run_snapshot_list(const Context& context) {
  const auto machine = open_store(context).load(machine_word(context.arguments.positional(0)));
  base::Json data;
  data.set("machine", machine.name).set("head", machine.definition.active.head);
  data.set("snapshots", snapshots_json(machine));
  return {.report = report::Report{
              .schema = "hrvm.snapshot-list/1", .data = data, .human = views(machine), .plain = snapshot_lines()}};
}

}  // namespace

const Command snapshot_list_command = {
    .name = "snapshot list",
    .summary = "list the snapshots of a machine",
    .positionals = {{"MACHINE", "the machine", Completes::machine}},
    .run = run_snapshot_list,
};

}  // namespace hrvm::cli
