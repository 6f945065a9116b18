#include "cli/views/machine_view.hpp"

#include <fmt/core.h>

#include <map>
#include <span>

#include "cli/views/or_null.hpp"
#include "cli/views/run_view.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/machine/folder_layer.hpp"
#include "hrvm/machine/settings.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using machine::Machine;
using machine::State;
using report::Align;
using report::Column;
using report::Format;

// Of all disks; null where a file of it is missing.
Json allocated(const Machine& machine, const std::string& layer) {
  std::uint64_t bytes = 0;
  for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk) {
    const auto here = machine::allocated_if_there(machine.layer_path(layer, disk));
    if (!here) return {};
    bytes += *here;
  }
  return bytes;
}

// What the layers from this state's own down to the base take.
std::uint64_t bytes_of_chain(const Machine& machine, const State& state) {
  std::uint64_t bytes = 0;
  for (const auto& layer : machine.definition.chain(state)) bytes += machine::allocated_bytes(machine, layer);
  return bytes;
}

// For undo; null where nothing is, or a file of it is missing.
Json bytes_held(const Machine& machine) {
  std::vector<std::string> layers;
  std::uint64_t bytes = 0;
  for (const auto& step : machine.definition.log) {
    if (step.held) layers.push_back(step.held->layer);
    for (const auto& snapshot : step.deleted) {
      layers.push_back(snapshot.layer);
      if (snapshot.memory) bytes += machine::allocated_if_there(machine.memory_path(snapshot.memory->id)).value_or(0);
    }
  }
  for (const auto& layer : layers) {
    const auto here = allocated(machine, layer).unsigned_integer();
    if (!here) return {};
    bytes += *here;
  }
  return layers.empty() ? Json() : Json(bytes);
}

// By the snapshot that they lie on; "" stands for the base.
using SnapshotsOn = std::map<std::string, std::vector<std::string>>;

SnapshotsOn snapshots_on(const machine::Definition& definition) {
  SnapshotsOn on;
  for (const auto& snapshot : definition.snapshots)
    if (!snapshot.is_nameless()) on[definition.named(snapshot.parent).value_or("")].push_back(snapshot.name);
  return on;
}

Json base_json(const machine::BaseIdentity& identity, const std::optional<machine::BaseState>& look) {
  Json json;
  json.set("path", look && !look->disks.empty() ? look->disks.front().path : identity.path);
  json.set("size_bytes", identity.is_folder() ? Json() : Json(identity.size_bytes));
  if (identity.is_folder()) json.set("direct", identity.is_direct());
  json.set("drift", look ? Json(word(look->drift)) : Json());
  json.set("reasons", look ? look->reasons : std::vector<std::string>());
  json.set("stable_path", or_null(identity.stable_path))
      .set("kind", word(identity.kind))
      .set("format", word(identity.format));
  json.set("model", or_null(identity.model)).set("serial", or_null(identity.serial)).set("wwn", or_null(identity.wwn));
  return json.set("table_uuid", or_null(identity.table_uuid)).set("sha256", or_null(identity.sha256));
}

Json disk_json(const Machine& machine, const State& state, std::size_t disk) {
  const auto path = machine.layer_path(state.layer, disk);
  const auto& identity = machine.definition.disks[disk];
  Json json;
  const auto bytes = machine.definition.disk_bytes(machine.definition.chain(state).back(), disk);
  json.set("path", path.string()).set("virtual_bytes", base::round_up(bytes, 512));
  const auto allocated = machine::allocated_if_there(path);
  json.set("allocated_bytes", allocated ? Json(*allocated) : Json());
  return json.set("base", or_null(identity.path));
}

Json disks_json(const Machine& machine, const State& state) {
  Json list = Json::array();
  for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk) list.push(disk_json(machine, state, disk));
  return list;
}

std::string disk_line(const machine::BaseIdentity& disk) {
  const auto size = base::format_bytes(disk.size_bytes);
  if (disk.is_empty()) return size + ", empty at first";
  return disk.serial.empty() ? fmt::format("{} ({})", disk.path, size)
                             : fmt::format("{} ({}, {})", disk.path, size, disk.serial);
}

std::vector<std::string> further_disks(const machine::Definition& definition) {
  std::vector<std::string> lines;
  for (const auto& disk : std::span(definition.disks).subspan(1)) lines.push_back(disk_line(disk));
  return lines;
}

Json disc_json(const std::optional<machine::Disc>& disc) {
  return disc ? Json::object().set("path", disc->path).set("boots_first", disc->boots_first) : Json();
}

Json shares_json(const std::vector<machine::Share>& shares) {
  Json list = Json::array();
  for (const auto& share : shares)
    list.push(Json::object()
                  .set("folder", share.folder)
                  .set("tag", share.tag)
                  .set("writable", share.is_writable)
                  .set("mount", mount_line(share)));
  return list;
}

Json setting_json(const machine::HardwareSetting& setting, const machine::Hardware& hardware) {
  if (setting.name == "share") return shares_json(hardware.shares);
  return setting.name == "iso" ? disc_json(hardware.iso) : to_json(setting, hardware);
}

void set_sizes(Json& json, const Machine& machine, const State& state) {
  json.set("changes_bytes", bytes_of_chain(machine, state));
  json.set("undo_bytes", bytes_held(machine));
  json.set("nameless_bytes", nameless_bytes(machine));
}

// These first, in this order, also of a machine that could not be read.
constexpr std::string_view first_of_hardware[] = {"firmware", "machine", "bus", "net", "memory_bytes", "cpus"};

void set_hardware_to_null(Json& json) {
  for (const auto member : first_of_hardware) json.set(std::string(member), nullptr);
}

constexpr bool is_recorded_of_runs(std::string_view setting) {
  return setting == "memory" || setting == "cpus" || setting == "net" || setting == "forward";
}

report::TableView shares_table() {
  return {
      .title = "Shared folders",
      .rows = "shares",
      .columns = {
          {"IN THE GUEST", "mount"}, {"GUEST WRITES", "writable", Format::yes_no}, {"FOLDER", "folder", Format::path}}};
}

report::FieldsView hardware_view() {
  report::FieldsView view{.title = "Hardware", .fields = {}};
  for (const auto& setting : machine::hardware_settings()) {
    if (setting.title.empty()) continue;
    const bool is_bytes = setting.member.ends_with("_bytes");
    const auto format = is_bytes ? Format::bytes : machine::is_switch(setting) ? Format::yes_no : Format::text;
    view.fields.push_back({std::string(setting.title), std::string(setting.member), format});
    if (is_recorded_of_runs(setting.name)) view.fields.back().now = "running." + std::string(setting.member);
    if (setting.name == "net") view.fields.push_back({"MAC", "mac"});
  }
  view.fields.push_back({"Because", "because", Format::lines});
  return view;
}

}  // namespace

std::string mount_line(const machine::Share& share) { return fmt::format("mount -t virtiofs {} /mnt", share.tag); }

void set_hardware(Json& json, const machine::Hardware& hardware, bool is_on_folder) {
  set_hardware_to_null(json);
  for (const auto& setting : machine::hardware_settings()) {
    if (!setting.is_shown) continue;
    const auto member = setting.shown_as.empty() ? setting.member : setting.shown_as;
    json.set(std::string(member), is_on_folder && setting.is_of_disk ? Json() : setting_json(setting, hardware));
  }
}

Json snapshot_json(const Machine& machine, const machine::Snapshot& snapshot) {
  Json json;
  json.set("name", snapshot.is_nameless() ? Json() : Json(snapshot.name));
  json.set("parent", machine.definition.named(snapshot.parent)).set("created", base::format_time(snapshot.created));
  json.set("description", snapshot.description).set("auto", snapshot.is_auto);
  json.set("consistency", word(snapshot.consistency));
  json.set("memory_bytes", snapshot.memory ? Json(snapshot.memory->size_bytes) : Json());
  return json.set("allocated_bytes", allocated(machine, snapshot.layer));
}

Json children_json(const machine::Definition& definition, const std::string& snapshot) {
  return snapshots_on(definition)[snapshot];
}

Json snapshots_json(const Machine& machine) {
  Json list = Json::array();
  auto on = snapshots_on(machine.definition);
  for (const auto& snapshot : machine.definition.snapshots)
    if (!snapshot.is_nameless()) list.push(snapshot_json(machine, snapshot).set("children", on[snapshot.name]));
  return list;
}

Json nameless_bytes(const Machine& machine) {
  std::optional<std::uint64_t> bytes;
  for (const auto& snapshot : machine.definition.snapshots) {
    if (!snapshot.is_nameless() || machine.definition.holder_of(snapshot.layer)) continue;
    const auto here = allocated(machine, snapshot.layer).unsigned_integer();
    if (!here) return {};
    bytes = bytes.value_or(0) + *here;
  }
  return bytes ? Json(*bytes) : Json();
}

Json machine_json(const sys::Host& host, launch::ActiveDomains& domains, const Machine& machine, const State& state,
                  const std::optional<machine::BaseState>& base) {
  const auto& definition = machine.definition;
  Json json;
  json.set("name", machine.name).set("uuid", definition.uuid.text());
  set_run_state(json, host, domains, machine, state.layer == definition.active.layer);
  json.set("base", base_json(definition.disks.front(), base)).set("disks", disks_json(machine, state));
  json.set("further_disks", further_disks(definition));
  set_hardware(json, state.hardware, definition.is_on_folder());
  json.set("head", definition.named(state.head)).set("snapshots", snapshots_json(machine));
  json.set("autostart", definition.autostart).set("auto_snapshot", definition.auto_snapshot);
  json.set("description", definition.description).set("system", or_null(definition.system));
  json.set("created", base::format_time(definition.created)).set("mac", or_null(state.hardware.mac));
  json.set("because", state.hardware.because);
  set_sizes(json, machine, state);
  return json;
}

Json machine_json(const sys::Host& host, const Machine& machine, const std::optional<machine::BaseState>& base) {
  launch::ActiveDomains domains(host);
  return machine_json(host, domains, machine, machine.definition.active, base);
}

Json unread_machine_json(const std::string& name, bool damaged) {
  Json json;
  json.set("name", name).set("uuid", nullptr).set("state", damaged ? Json("damaged") : Json());
  json.set("pid", nullptr).set("libvirt", nullptr).set("paused", nullptr).set("since", nullptr);
  json.set("running", nullptr).set("runs", Json::array()).set("throw_away_runs", nullptr);
  json.set("base", nullptr).set("disks", Json::array());
  set_hardware_to_null(json);
  return json.set("head", nullptr).set("snapshots", Json::array());
}

std::vector<report::View> machine_views() {
  const report::FieldsView what{.fields = {{"Description", "description"},
                                           {"System", "system"},
                                           {"Made", "created", Format::time},
                                           {"UUID", "uuid"},
                                           {"A copy of", "copy_of"},
                                           {"Autostart", "autostart", Format::yes_no},
                                           {"Auto-snapshot", "auto_snapshot", Format::yes_no},
                                           {"Process", "pid"},
                                           {"Runs in libvirt", "libvirt.uri"},
                                           {"Room to grow", "guard.room_bytes", Format::bytes},
                                           {"Grows a second by", "guard.growth_bytes_per_second", Format::bytes},
                                           {"Full in", "guard.seconds_to_full", Format::duration}}};
  const report::FieldsView disk{.title = "Disk",
                                .fields = {{"Base", "base.path"},
                                           {"Model", "base.model"},
                                           {"Serial", "base.serial"},
                                           {"Size", "base.size_bytes", Format::bytes},
                                           {"Guest writes to it", "base.direct", Format::yes_no},
                                           {"Further disks", "further_disks", Format::lines},
                                           {"Drift", "base.drift"},
                                           {"Moved", "base.reasons", Format::lines},
                                           {"Changes", "changes_bytes", Format::bytes},
                                           {"Held for undo", "undo_bytes", Format::bytes},
                                           {"Kept without a name", "nameless_bytes", Format::bytes},
                                           {"On snapshot", "head"},
                                           {"Read-only disks", "other_disks", Format::lines},
                                           {"Disc", "iso.path"},
                                           {"Disc boots first", "iso.boots_first", Format::yes_no}}};
  auto snapshots = snapshot_table();
  snapshots.title = "Snapshots";
  return {
      report::EachView{"machines",
                       {{"", "name"}, {.title = "", .path = "state", .note = "paused.remark"}},
                       {what, running_view(), throw_away_table(), disk, hardware_view(), shares_table(), snapshots}}};
}

report::TableView snapshot_table() {
  return {.rows = "snapshots",
          .columns = {{"NAME", "name"},
                      {"ON", "parent", Format::text, Align::left, 1},
                      {"CREATED", "created", Format::time, Align::left, 3},
                      {"CHANGES", "allocated_bytes", Format::bytes, Align::right, 2},
                      {"MEMORY", "memory_bytes", Format::bytes, Align::right, 4},
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
                      {"", "uuid"},
                      {"", "libvirt.uri"},
                      {"", "base.direct"},
                      {"", "throw_away_runs"}}};
}

report::TableView snapshot_lines() {
  return {.rows = "snapshots",
          .columns = {{"", "name"}, {"", "parent"}, {"", "created"}, {"", "allocated_bytes"}, {"", "description"}}};
}

}  // namespace hrvm::cli
