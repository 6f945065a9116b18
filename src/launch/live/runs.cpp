#include "hrvm/launch/runs.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/launch/control.hpp"
#include "hrvm/machine/objection.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/lock.hpp"

namespace hrvm::launch {

using machine::RunState;

StopWay Run::stop(std::chrono::seconds patience, bool at_once) const {
  return domain ? domain->stop(patience, at_once) : stop_run(layer, run_folder, patience, at_once);
}

bool Run::pause() const { return domain ? domain->pause() : pause_run(run_folder); }

bool Run::resume() const { return domain ? domain->resume() : resume_run(run_folder); }

RestartWay Run::restart(std::chrono::seconds patience, bool at_once) const {
  return domain ? domain->restart(patience, at_once) : restart_run(run_folder, patience, at_once);
}

std::string Run::screenshot() const {
  return domain ? domain->screenshot(run_folder / "screenshot.png") : screenshot_run(run_folder);
}

namespace {

// In the run folder of a boot whose layer does not lie in the store: where it does.
constexpr std::string_view scratch_link = "throw-away";

std::optional<Run> run_in_scratch(const machine::Machine& machine, const machine::Path& run_folder) {
  const auto folder = sys::read_link(run_folder / scratch_link);
  if (!folder) return std::nullopt;
  const auto layer = *folder / machine.definition.layer_name("layer");
  if (block::image_use(layer) != block::ImageUse::write) return std::nullopt;
  return Run{layer, run_folder, true};
}

}  // namespace

void remove_throw_away(const Run& run) {
  const auto folder = run.layer.parent_path();
  // QEMU has the lock until it has let go of the layer.
  if (const auto lock = sys::Lock::try_take(folder, sys::Lock::Mode::exclusive, std::chrono::seconds(1)))
    sys::remove_all(folder);
  sys::remove_all(run.run_folder);
}

void note_scratch(const machine::Path& run_folder, const machine::Path& folder) {
  sys::make_private_directories(run_folder);
  sys::switch_link(run_folder / scratch_link, folder);
}

std::vector<machine::Path> scratch_folders(const machine::Path& run_folder) {
  std::vector<machine::Path> folders;
  for (const auto& name : sys::list_directory(run_folder))
    if (auto folder = sys::read_link(run_folder / name / scratch_link)) folders.push_back(*std::move(folder));
  return folders;
}

std::vector<Run> throw_away_runs(const sys::Host& host, const machine::Machine& machine) {
  const auto folder = machine::run_folder(host, machine.definition);
  std::vector<Run> runs;
  for (const auto& used : machine::throw_away_folders(machine, true))
    runs.push_back({used / machine.definition.layer_name("layer"), folder / used.filename(), true});
  for (const auto& name : sys::list_directory(folder))
    if (auto run = run_in_scratch(machine, folder / name)) runs.push_back(*std::move(run));
  return runs;
}

std::vector<Run> runs_of(const sys::Host& host, const machine::Machine& machine) {
  const auto folder = machine::run_folder(host, machine.definition);
  if (auto domain = active_domain(host, machine)) return {{machine.active_layer(), folder, false, std::move(domain)}};
  if (const auto written = machine::written_layer(machine)) {
    // No QEMU of ours: no need to look at every process for one that answers.
    if (sys::link_status(folder / "qmp.sock").type == sys::FileType::missing)
      if (auto other = machine::held_by_tool(machine.name, *written)) throw *std::move(other);
    return {{*written, folder}};
  }
  auto runs = throw_away_runs(host, machine);
  if (runs.empty())
    throw base::Error(base::ErrorKind::not_found, fmt::format("machine {} is not running", machine.name));
  return runs;
}

std::optional<Domain> active_domain(const sys::Host& host, const machine::Machine& machine) {
  const auto record = domain_record(machine.folder);
  if (!record) return std::nullopt;
  if (record->is_local() && machine::run_state(machine) == RunState::stopped) return std::nullopt;
  if (run_detail(machine::run_folder(host, machine.definition))) return std::nullopt;
  Domain domain(host, *record);
  return domain.is_active() ? std::optional(std::move(domain)) : std::nullopt;
}

void check_stopped(const sys::Host& host, const machine::Machine& machine, std::string_view verb) {
  const bool runs_here = machine::run_state(machine) == RunState::running;
  if (runs_here || active_domain(host, machine))
    throw machine::running(machine, fmt::format("is running, and a running machine is not {}", verb));
}

}  // namespace hrvm::launch
