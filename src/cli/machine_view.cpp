#include "cli/machine_view.hpp"

#include <fmt/core.h>

#include "hrvm/launch/control.hpp"
#include "hrvm/launch/guard.hpp"
#include "hrvm/machine/change.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using machine::Machine;
using machine::State;
using report::Align;
using report::Column;
using report::Format;

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json allocated(const sys::Path& file) {
  const auto status = sys::status(file);
  return status.type == sys::FileType::missing ? Json() : Json(status.allocated_bytes);
}

// What the layers from this state's own down to the base take.
std::uint64_t bytes_of_chain(const Machine& machine, const State& state) {
  std::uint64_t bytes = 0;
  for (const auto& layer : machine.definition.chain(state))
    bytes += sys::status(machine.layer_path(layer)).allocated_bytes;
  return bytes;
}

// A pid file can be left over, and its number be another process's by now: that one must name the machine.
Json pid_of(const sys::Host& host, const Machine& machine) {
  const auto pid = sys::try_read_number(machine::run_folder(host, machine.definition) / "pid");
  if (!pid) return {};
  const auto command_line = sys::try_read_file(host.path(fmt::format("/proc/{}/cmdline", *pid)));
  const bool is_ours = command_line && command_line->find(machine.definition.uuid.text()) != std::string::npos;
  return is_ours ? Json(*pid) : Json();
}

// QEMU knows more states; in all but these two the guest's processors stand still.
bool is_paused(const sys::Host& host, const Machine& machine) {
  const auto detail = launch::run_detail(machine::run_folder(host, machine.definition));
  return detail && *detail != "running" && *detail != "suspended";
}

// Null where no guard watches: the machine does not run, or libvirt runs it.
Json guard_json(const sys::Host& host, const Machine& machine) {
  const auto guard = launch::guard_report(machine::run_folder(host, machine.definition));
  if (!guard) return {};
  Json json;
  json.set("paused_for_room", guard->paused).set("room_bytes", guard->room_bytes);
  json.set("growth_bytes_per_second", guard->bytes_per_second);
  return json.set("seconds_to_full", guard->seconds_to_full());
}

void set_run_state(Json& json, const sys::Host& host, const Machine& machine) {
  const bool runs = machine::run_state(machine) == machine::RunState::running;
  json.set("state", !runs ? "stopped" : is_paused(host, machine) ? "paused" : "running");
  json.set("pid", runs ? pid_of(host, machine) : Json());
  json.set("guard", runs ? guard_json(host, machine) : Json());
}

Json base_json(const machine::BaseIdentity& identity, const std::optional<machine::BaseState>& look) {
  Json json;
  json.set("path", look && look->disk ? look->disk->path : identity.path).set("size_bytes", identity.size_bytes);
  json.set("drift", look ? Json(word(look->drift)) : Json());
  json.set("reasons", look ? look->reasons : std::vector<std::string>());
  json.set("stable_path", or_null(identity.stable_path)).set("kind", identity.kind).set("format", identity.format);
  json.set("model", or_null(identity.model)).set("serial", or_null(identity.serial)).set("wwn", or_null(identity.wwn));
  return json.set("table_uuid", or_null(identity.table_uuid)).set("sha256", or_null(identity.sha256));
}

Json disk_json(const Machine& machine, const State& state) {
  const auto path = machine.layer_path(state.layer);
  const auto image = machine::layer_on_base(machine.definition.base, machine.definition.geometry);
  Json json;
  json.set("path", path.string()).set("virtual_bytes", image.virtual_bytes);
  return json.set("allocated_bytes", allocated(path));
}

void set_hardware(Json& json, const machine::Hardware& hardware) {
  json.set("firmware", word(hardware.firmware)).set("machine", word(hardware.machine)).set("bus", word(hardware.bus));
  json.set("net", word(hardware.network)).set("memory_bytes", hardware.memory_bytes).set("cpus", hardware.cpus);
}

void set_sizes(Json& json, const Machine& machine, const State& state) {
  const auto& previous = machine.definition.previous;
  json.set("changes_bytes", bytes_of_chain(machine, state));
  json.set("undo_bytes", previous ? allocated(machine.layer_path(previous->layer)) : Json());
}

constexpr std::string_view members_of_a_definition[] = {"firmware",     "machine", "bus", "net",
                                                        "memory_bytes", "cpus",    "head"};

}  // namespace

Json snapshot_json(const Machine& machine, const machine::Snapshot& snapshot) {
  Json json;
  json.set("name", snapshot.name).set("parent", snapshot.parent).set("created", base::format_time(snapshot.created));
  json.set("description", snapshot.description);
  return json.set("allocated_bytes", allocated(machine.layer_path(snapshot.layer)));
}

Json snapshots_json(const Machine& machine) {
  Json list = Json::array();
  for (const auto& snapshot : machine.definition.snapshots) list.push(snapshot_json(machine, snapshot));
  return list;
}

Json machine_json(const sys::Host& host, const Machine& machine, const State& state,
                  const std::optional<machine::BaseState>& base) {
  const auto& definition = machine.definition;
  Json json;
  json.set("name", machine.name).set("uuid", definition.uuid.text());
  set_run_state(json, host, machine);
  json.set("base", base_json(definition.base, base)).set("disks", Json::Array{disk_json(machine, state)});
  set_hardware(json, state.hardware);
  json.set("head", state.head).set("snapshots", snapshots_json(machine));
  json.set("description", definition.description).set("system", or_null(definition.system));
  json.set("created", base::format_time(definition.created)).set("mac", or_null(state.hardware.mac));
  json.set("because", state.hardware.because);
  set_sizes(json, machine, state);
  return json;
}

Json machine_json(const sys::Host& host, const Machine& machine, const std::optional<machine::BaseState>& base) {
  return machine_json(host, machine, machine.definition.active, base);
}

Json unread_machine_json(const std::string& name, bool damaged) {
  Json json;
  json.set("name", name).set("uuid", nullptr).set("state", damaged ? Json("damaged") : Json()).set("pid", nullptr);
  json.set("base", nullptr).set("disks", Json::array());
  for (const auto member : members_of_a_definition) json.set(std::string(member), nullptr);
  return json.set("snapshots", Json::array());
}

std::vector<report::View> machine_views() {
  const report::FieldsView what{.fields = {{"Description", "description"},
                                           {"System", "system"},
                                           {"Made", "created", Format::time},
                                           {"UUID", "uuid"},
                                           {"Process", "pid"},
                                           {"Room to grow", "guard.room_bytes", Format::bytes},
                                           {"Grows a second by", "guard.growth_bytes_per_second", Format::bytes},
                                           {"Full in seconds", "guard.seconds_to_full"},
                                           {"Paused for want of room", "guard.paused_for_room", Format::yes_no}}};
  const report::FieldsView disk{.title = "Disk",
                                .fields = {{"Base", "base.path"},
                                           {"Model", "base.model"},
                                           {"Serial", "base.serial"},
                                           {"Size", "base.size_bytes", Format::bytes},
                                           {"Drift", "base.drift"},
                                           {"Moved", "base.reasons", Format::lines},
                                           {"Changes", "changes_bytes", Format::bytes},
                                           {"Kept for undo", "undo_bytes", Format::bytes},
                                           {"On snapshot", "head"}}};
  const report::FieldsView hardware{.title = "Hardware",
                                    .fields = {{"Memory", "memory_bytes", Format::bytes},
                                               {"CPUs", "cpus"},
                                               {"Firmware", "firmware"},
                                               {"Machine", "machine"},
                                               {"Bus", "bus"},
                                               {"Network", "net"},
                                               {"MAC", "mac"},
                                               {"Because", "because", Format::lines}}};
  auto snapshots = snapshot_table();
  snapshots.title = "Snapshots";
  return {report::EachView{"machines", {{"", "name"}, {"", "state"}}, {what, disk, hardware, snapshots}}};
}

report::TableView snapshot_table() {
  return {.rows = "snapshots",
          .columns = {{"NAME", "name"},
                      {"ON", "parent"},
                      {"CREATED", "created", Format::time},
                      {"CHANGES", "allocated_bytes", Format::bytes, Align::right},
                      {"DESCRIPTION", "description"}}};
}

report::TableView machine_lines() {
  return {.rows = "machines",
          .columns = {{"", "name"},
                      {"", "state"},
                      {"", "changes_bytes"},
                      {"", "base.path"},
                      {"", "base.drift"},
                      {"", "head"},
                      {"", "firmware"},
                      {"", "memory_bytes"},
                      {"", "cpus"},
                      {"", "pid"},
                      {"", "uuid"}}};
}

report::TableView snapshot_lines() {
  return {.rows = "snapshots",
          .columns = {{"", "name"}, {"", "parent"}, {"", "created"}, {"", "allocated_bytes"}, {"", "description"}}};
}

}  // namespace hrvm::cli
