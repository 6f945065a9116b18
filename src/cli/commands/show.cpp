// hrvm show MACHINE[@SNAP]: all about a machine, or about it as it is in a snapshot.
#include "cli/commands/commands.hpp"
#include "cli/views/machine_view.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/launch/boot_options.hpp"
#include "hrvm/launch/domain.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/sys/files.hpp"

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

Json option_json(const launch::BootOption& option) {
  Json json;
  json.set("name", option.name).set("description", option.description).set("path", option.path);
  return json.set("active", option.active).set("order", option.place);
}

// Null while the machine has no variables: its first boot by UEFI makes them.
Json nvram_json(const machine::Machine& machine, const machine::State& state) {
  if (!state.nvram) return {};
  const auto path = machine.nvram_path(*state.nvram);
  const launch::VariableStore variables(sys::read_file(path, launch::largest_flash), path);
  Json entries = Json::array();
  for (const auto& option : launch::boot_options(variables)) entries.push(option_json(option));
  Json json;
  json.set("path", path.string()).set("variables", variables.variables().size());
  json.set("free_bytes", variables.free_bytes()).set("secure_boot_keys", launch::has_secure_boot_keys(variables));
  return json.set("boot", std::move(entries));
}

std::vector<report::View> nvram_views(const Json& nvram) {
  if (nvram.is_null())
    return {report::TextView{"\nThere are no UEFI variables yet: the first boot by UEFI makes them."}};
  return {report::FieldsView{.title = "UEFI variables",
                             .object = "nvram",
                             .fields = {{"File", "path"},
                                        {"Variables", "variables"},
                                        {"Free", "free_bytes", Format::bytes},
                                        {"Secure Boot keys", "secure_boot_keys", Format::yes_no}}},
          report::TableView{.title = "Boot entries, in the order in which they are tried",
                            .rows = "nvram.boot",
                            .columns = {{"NAME", "name"},
                                        {"DESCRIPTION", "description"},
                                        {"ACTIVE", "active", Format::yes_no},
                                        {"PATH", "path"}},
                            .when_empty = "There are no boot entries."}};
}

Outcome run_show(const Context& context) {
  const auto named = named_machine(context.arguments.positional(0));
  const auto store = open_store(context);
  const auto machine = store.load(named.machine);
  const auto state = machine::state_of(machine, named.snapshot);
  store.check_files(machine, state);
  const auto base = machine::examine_base(context.host, machine.definition, state);

  Json data;
  launch::ActiveDomains domains(context.host);
  data.set("machines", Json::Array{machine_json(context.host, domains, machine, state, base)});
  for (const auto& complaint : domains.complaints()) context.warn(complaint);
  auto views = machine_views();
  if (named.snapshot) {
    data.set("snapshot", snapshot_json(machine, machine::snapshot_of(machine, *named.snapshot)));
    views.insert(views.begin(), snapshot_view());
  }
  if (context.arguments.has("--nvram")) {
    data.set("nvram", nvram_json(machine, state));
    const auto more = nvram_views(data["nvram"]);
    views.insert(views.end(), more.begin(), more.end());
  }
  return {.report = report::Report{.schema = "hrvm.show/1", .data = data, .human = views, .plain = machine_lines()}};
}

}  // namespace

const Command show_command = {
    .name = "show",
    .summary = "show all about a machine or a snapshot, and whether its disk changed",
    .options = {{.name = "--nvram", .help = "with its UEFI variables: what its firmware boots, in which order"}},
    .positionals = {{"MACHINE[@SNAP]", "the machine, or it as it is in a snapshot", Completes::machine_or_snapshot}},
    .run = run_show,
};

}  // namespace hrvm::cli
