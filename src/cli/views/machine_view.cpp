#include "cli/views/machine_view.hpp"

#include <fmt/core.h>

#include <span>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/launch/control.hpp"
#include "hrvm/launch/domain.hpp"
#include "hrvm/launch/guard.hpp"
#include "hrvm/launch/run_record.hpp"
#include "hrvm/launch/runs.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/machine/folder_layer.hpp"
#include "hrvm/machine/settings.hpp"
#include "hrvm/machine/storage.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using machine::Machine;
using machine::State;
using report::Align;
using report::Column;
using report::Format;

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

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
  std::uint64_t bytes = 0;
  for (const auto* step : machine.definition.held_steps()) {
    const auto here = allocated(machine, step->held->layer).unsigned_integer();
    if (!here) return {};
    bytes += *here;
  }
  return machine.definition.held_steps().empty() ? Json() : Json(bytes);
}

// A pid file can be left over, and its number be another process's by now: that one must name the machine.
Json pid_of(const sys::Host& host, const Machine& machine, const sys::Path& pid_file) {
  const auto pid = sys::try_read_number(pid_file);
  if (!pid) return {};
  const auto command_line = sys::try_read_file(host.path(fmt::format("/proc/{}/cmdline", *pid)));
  const bool is_ours = command_line && command_line->find(machine.definition.uuid.text()) != std::string::npos;
  return is_ours ? Json(*pid) : Json();
}

// How a machine runs, where that can be known.
struct RunView {
  Json state = "stopped", pid, libvirt;
  std::optional<std::string> detail = std::nullopt;  // QEMU's own word for the state, of one that hrvm started

  bool is_up() const { return state != Json("stopped"); }
};

// Null when libvirt does not run it. One that libvirt runs elsewhere and says nothing of is in no known state.
std::optional<RunView> domain_view(const sys::Host& host, launch::ActiveDomains& domains, const Machine& machine,
                                   bool is_locked) {
  const auto record = launch::domain_record(machine.folder);
  if (!record || (record->is_local() && !is_locked)) return std::nullopt;
  const auto state = domains.state(*record);
  if (!state && !is_locked) return RunView{nullptr, nullptr, nullptr};
  if (!state || state == launch::DomainState::off) return std::nullopt;
  const bool is_systems = record->uri == "qemu:///system";
  const auto pid_file = host.path(fmt::format("/run/libvirt/qemu/{}.pid", record->name));
  return RunView{state == launch::DomainState::paused ? "paused" : "running",
                 is_systems ? pid_of(host, machine, pid_file) : Json(), domain_json(record)};
}

// QEMU knows more states; in all but these two the guest's processors stand still.
bool is_paused(const std::string& detail) { return detail != "running" && detail != "suspended"; }

RunView run_view(const sys::Host& host, launch::ActiveDomains& domains, const Machine& machine) {
  const bool is_locked = machine::run_state(machine) == machine::RunState::running;
  const auto folder = machine::run_folder(host, machine.definition);
  const auto detail = is_locked ? launch::run_detail(folder) : std::nullopt;
  if (!detail)
    if (auto view = domain_view(host, domains, machine, is_locked)) return *std::move(view);
  if (!is_locked) return {};
  return {detail && is_paused(*detail) ? "paused" : "running", pid_of(host, machine, folder / "pid"), {}, detail};
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

Json time_json(const std::optional<launch::RunRecord>& record) {
  return record ? Json(base::format_time(record->since)) : Json();
}

// As it runs, whatever the machine is set to by now.
Json running_json(const std::optional<launch::RunRecord>& record) {
  if (!record) return {};
  Json json;
  json.set("since", time_json(record)).set("memory_bytes", record->memory_bytes).set("cpus", record->cpus);
  json.set("net", or_null(record->net)).set("forwards", record->forwards).set("vnc", or_null(record->vnc));
  return json.set("console", or_null(record->console)).set("accel", or_null(record->accel));
}

// Why a machine stands still, and what to do.
Json pause_json(const sys::Host& host, const Machine& machine, const RunView& view) {
  if (!view.detail || !is_paused(*view.detail)) return {};
  const auto pause = [](std::string_view why, std::string remark) {
    return Json::object().set("why", why).set("remark", std::move(remark));
  };
  const auto guard = launch::guard_report(machine::run_folder(host, machine.definition));
  if (guard && guard->paused) {
    const auto space = host.space(machine.active_layer().parent_path());
    const bool has_room = space.available_bytes >= machine::room_to_go_on(space);
    return pause("no-room", has_room
                                ? fmt::format("the store was full; there is room now: hrvm resume {}", machine.name)
                                : fmt::format("the store is full: make room, then hrvm resume {}", machine.name));
  }
  if (*view.detail == "paused") return pause("by-hand", fmt::format("by hand: hrvm resume {}", machine.name));
  if (*view.detail == "io-error") return pause("io-error", "a read or a write of its disk failed");
  return pause(*view.detail, "QEMU says " + *view.detail);
}

Json run_json(const sys::Host& host, const Machine& machine, const launch::Run& run) {
  const auto record = launch::run_record(run.run_folder);
  const auto detail = launch::run_detail(run.run_folder);
  const auto snapshot = record ? record->snapshot : std::nullopt;
  Json json;
  json.set("name", snapshot ? machine.name + "@" + *snapshot : machine.name);
  json.set("pid", pid_of(host, machine, run.run_folder / "pid")).set("snapshot", snapshot);
  json.set("since", time_json(record)).set("throw_away", true);
  return json.set("state", detail && is_paused(*detail) ? "paused" : "running");
}

Json own_run_json(const Machine& machine, const RunView& view, const Json& since) {
  Json json;
  json.set("name", machine.name).set("pid", view.pid).set("snapshot", nullptr);
  return json.set("since", since).set("throw_away", false).set("state", view.state);
}

// The machine's own, and those in throw-away layers, which leave its state as it is.
void set_runs(Json& json, const sys::Host& host, const Machine& machine, const RunView& view, const Json& since) {
  const auto throw_away = launch::throw_away_runs(host, machine);
  Json runs = Json::array();
  if (view.is_up()) runs.push(own_run_json(machine, view, since));
  for (const auto& run : throw_away) runs.push(run_json(host, machine, run));
  json.set("runs", std::move(runs)).set("throw_away_runs", throw_away.size());
}

// What runs is the active state, also where another one is looked at.
void set_run_state(Json& json, const sys::Host& host, launch::ActiveDomains& domains, const Machine& machine,
                   bool is_active_state) {
  const auto view = run_view(host, domains, machine);
  const bool runs_by_hrvm = view.is_up() && view.libvirt.is_null();
  const auto record = runs_by_hrvm ? launch::run_record(machine::run_folder(host, machine.definition)) : std::nullopt;
  json.set("state", view.state).set("pid", view.pid).set("libvirt", view.libvirt);
  json.set("guard", runs_by_hrvm ? guard_json(host, machine) : Json());
  json.set("paused", pause_json(host, machine, view));
  json.set("since", time_json(record)).set("running", is_active_state ? running_json(record) : Json());
  set_runs(json, host, machine, view, time_json(record));
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
}

// These first, in this order, also of a machine that could not be read.
constexpr std::string_view first_of_hardware[] = {"firmware", "machine", "bus", "net", "memory_bytes", "cpus"};

void set_hardware_to_null(Json& json) {
  for (const auto member : first_of_hardware) json.set(std::string(member), nullptr);
}

constexpr bool is_recorded_of_runs(std::string_view setting) {
  return setting == "memory" || setting == "cpus" || setting == "net" || setting == "forward";
}

report::FieldsView running_view() {
  return {.title = "Running",
          .object = "running",
          .fields = {
              {"Since", "since", Format::time}, {"Accelerator", "accel"}, {"VNC", "vnc"}, {"Serial line", "console"}}};
}

report::TableView throw_away_table() {
  return {.title = "Runs in throw-away layers",
          .rows = "runs",
          .columns = {{"NAME", "name"}, {"STATE", "state"}, {"PROCESS", "pid"}, {"SINCE", "since", Format::time}},
          .only = "throw_away"};
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

Json domain_json(const std::optional<launch::DomainRecord>& record) {
  if (!record) return {};
  return Json::object().set("uri", record->uri).set("domain", record->name);
}

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
  json.set("name", snapshot.name).set("parent", snapshot.parent).set("created", base::format_time(snapshot.created));
  json.set("description", snapshot.description);
  return json.set("allocated_bytes", allocated(machine, snapshot.layer));
}

Json snapshots_json(const Machine& machine) {
  Json list = Json::array();
  for (const auto& snapshot : machine.definition.snapshots) list.push(snapshot_json(machine, snapshot));
  return list;
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
  json.set("head", state.head).set("snapshots", snapshots_json(machine));
  json.set("autostart", definition.autostart);
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
                                           {"Autostart", "autostart", Format::yes_no},
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
