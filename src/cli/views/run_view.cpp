#include "cli/views/run_view.hpp"

#include <fmt/core.h>

#include "cli/views/or_null.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/launch/control.hpp"
#include "hrvm/launch/guard.hpp"
#include "hrvm/launch/run_record.hpp"
#include "hrvm/launch/runs.hpp"
#include "hrvm/machine/storage.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using machine::Machine;
using report::Format;

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

}  // namespace

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

Json domain_json(const std::optional<launch::DomainRecord>& record) {
  if (!record) return {};
  return Json::object().set("uri", record->uri).set("domain", record->name);
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

}  // namespace hrvm::cli
