// hrvm show MACHINE[@SNAP]…: all about machines, or about them as they are in a snapshot.
#include "cli/commands/commands.hpp"
#include "cli/steps/several.hpp"
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

// The others are looked at only where the folder is not that in which the machine was made.
Json original_of(const machine::Store& store, const machine::Machine& machine) {
  if (machine.definition.folder_inode == sys::status(machine.folder).inode) return {};
  for (const auto& [name, original] : machine::find_copies(store, machine.name))
    if (name == machine.name) return original;
  return {};
}

// With what is asked for besides among its members.
Json shown_json(const Context& context, const machine::Store& store, launch::ActiveDomains& domains,
                const NamedMachine& named) {
  const auto machine = store.load(named.machine);
  const auto state = machine::state_of(machine, named.snapshot);
  store.check_files(machine, state, machine::Depth::headers);
  const auto base = machine::examine_base(context.host, machine.definition, state);
  auto json = machine_json(context.host, domains, machine, state, base);
  json.set("copy_of", original_of(store, machine));
  if (named.snapshot)
    json.set("snapshot", snapshot_json(machine, machine::snapshot_of(machine, *named.snapshot))
                             .set("children", children_json(machine.definition, *named.snapshot)));
  if (context.arguments.has("--nvram")) json.set("nvram", nvram_json(machine, state));
  return json;
}

report::Report report_of_one(const Context& context, const Json& machine) {
  Json data;
  data.set("machines", Json::Array{machine});
  auto views = machine_views();
  if (!machine["snapshot"].is_null()) {
    data.set("snapshot", machine["snapshot"]);
    views.insert(views.begin(), snapshot_view());
  }
  if (context.arguments.has("--nvram")) {
    data.set("nvram", machine["nvram"]);
    const auto more = nvram_views(data["nvram"]);
    views.insert(views.end(), more.begin(), more.end());
  }
  return {.schema = "hrvm.show/1", .data = std::move(data), .human = std::move(views), .plain = machine_lines()};
}

report::Report report_of_several(Json::Array machines) {
  Json data;
  data.set("machines", std::move(machines));
  auto views = machine_views();
  auto& each = std::get<report::EachView>(views.front());
  each.views.insert(each.views.begin(), snapshot_view());
  each.views.push_back(report::FieldsView{.title = "UEFI variables",
                                          .object = "nvram",
                                          .fields = {{"File", "path"}, {"Free", "free_bytes", Format::bytes}}});
  return {.schema = "hrvm.show/1", .data = std::move(data), .human = std::move(views), .plain = machine_lines()};
}

Outcome run_show(const Context& context) {
  const auto store = open_store(context);
  const auto words = words_given(context.arguments);
  launch::ActiveDomains domains(context.host);
  Json::Array machines;
  const int status = for_each(context, words, [&](const std::string& word) {
    machines.push_back(shown_json(context, store, domains, named_machine(word)));
  });
  for (const auto& complaint : domains.complaints()) context.warn(complaint);
  auto report = words.size() == 1 ? report_of_one(context, machines.front()) : report_of_several(std::move(machines));
  return {.report = std::move(report), .status = status};
}

}  // namespace

const Command show_command = {
    .name = "show",
    .summary = "show all about a machine or a snapshot, and whether its disk changed",
    .options = {{.name = "--nvram", .help = "with its UEFI variables: what its firmware boots, in which order"}},
    .positionals = {{"MACHINE[@SNAP]", "the machines, or them as they are in a snapshot",
                     Completes::machine_or_snapshot, Positional::Count::some}},
    .run = run_show,
};

}  // namespace hrvm::cli
