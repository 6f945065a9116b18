// hrvm list: the machines there are. No base is read, and one that is damaged does not hide the others.
#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/views/machine_view.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/launch/domain.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using report::Align;
using report::Format;

void tell(const Context& context, const base::Error& error) {
  const bool color = uses_color(context.host, context.arguments, Channel::err);
  print_error(context.host.streams.err, error, context.rendering == Rendering::json, color);
}

// Null for one that was removed while the others were looked at.
Json look_at(const Context& context, launch::ActiveDomains& domains, const machine::Store& store,
             const std::string& name, bool& failed) {
  try {
    const auto machine = store.load(name);
    store.check_files(machine);
    return machine_json(context.host, domains, machine, machine.definition.active);
  } catch (const base::Error& error) {
    if (!store.contains(name)) return {};
    tell(context, error);
    failed = true;
    return unread_machine_json(name, error.kind() == base::ErrorKind::corrupt);
  }
}

report::Report report_of(Json machines) {
  Json data;
  data.set("machines", std::move(machines));
  report::TableView table{.rows = "machines",
                          .columns = {{"NAME", "name"},
                                      {"STATE", "state"},
                                      {"PROCESS", "pid"},
                                      {"SINCE", "since", Format::time},
                                      {"LIBVIRT", "libvirt.uri"},
                                      {"CHANGES", "changes_bytes", Format::bytes, Align::right},
                                      {"SNAPSHOT", "head"},
                                      {"SYSTEM", "system"},
                                      {"DIRECT", "base.direct", Format::yes_no},
                                      {"BASE", "base.path"}},
                          .when_empty = "No machines. hrvm discover shows the disks that can become one.",
                          .only = "throw_away",
                          .below = "runs"};
  return {.schema = "hrvm.list/1", .data = data, .human = {std::move(table)}, .plain = machine_lines()};
}

Outcome run_list(const Context& context) {
  const auto store = open_store(context);
  Json machines = Json::array();
  launch::ActiveDomains domains(context.host);
  bool failed = false;
  for (const auto& name : store.folder_names()) {
    auto json = look_at(context, domains, store, name, failed);
    if (!json.is_null()) machines.push(std::move(json));
  }
  for (const auto& complaint : domains.complaints()) context.warn(complaint);
  return {.report = report_of(std::move(machines)), .status = failed ? 1 : 0};
}

}  // namespace

const Command list_command = {
    .name = "list",
    .summary = "list the machines, whether they run, and how much they changed",
    .run = run_list,
};

}  // namespace hrvm::cli
