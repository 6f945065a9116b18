// hrvm show MACHINE[@SNAP]: all about a machine, or about it as it is in a snapshot.
#include "cli/commands.hpp"
#include "cli/machine_view.hpp"
#include "cli/named_machine.hpp"
#include "hrvm/machine/change.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using report::Format;

report::FieldsView snapshot_view() {
  return {.object = "snapshot",
          .fields = {{"Snapshot", "name"},
                     {"Description", "description"},
                     {"Created", "created", Format::time},
                     {"Lies on", "parent"},
                     {"Changes", "allocated_bytes", Format::bytes}}};
}

Outcome run_show(const Context& context) {
  const auto named = named_machine(context.arguments.positional(0));
  const auto store = open_store(context);
  const auto machine = store.load(named.machine);
  const auto state = state_named(machine, named.snapshot);
  store.check_files(machine, state);
  const auto base = machine::examine_base(context.host, machine.definition, state);

  Json data;
  data.set("machines", Json::Array{machine_json(context.host, machine, state, base)});
  auto views = machine_views();
  if (named.snapshot) {
    data.set("snapshot", snapshot_json(machine, machine::snapshot_of(machine, *named.snapshot)));
    views.insert(views.begin(), snapshot_view());
  }
  return {.report = report::Report{.schema = "hrvm.show/1", .data = data, .human = views, .plain = machine_lines()}};
}

}  // namespace

const Command show_command = {
    .name = "show",
    .summary = "show all about a machine or a snapshot, and whether its disk changed",
    .positionals = {{"MACHINE[@SNAP]", "the machine, or it as it is in a snapshot", Completes::machine_or_snapshot}},
    .run = run_show,
};

}  // namespace hrvm::cli
