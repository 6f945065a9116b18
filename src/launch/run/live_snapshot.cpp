#include "hrvm/launch/live_snapshot.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/launch/run_record.hpp"
#include "hrvm/launch/runs.hpp"
#include "hrvm/launch/settled.hpp"
#include "hrvm/machine/objection.hpp"
#include "hrvm/machine/pending_snapshot.hpp"
#include "hrvm/sys/file_size_limit.hpp"
#include "launch/run/bounds.hpp"
#include "launch/run/control_socket.hpp"
#include "launch/run/guest_freeze.hpp"
#include "launch/run/live_layers.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using base::Json;
using machine::Machine;
using Clock = std::chrono::steady_clock;

// A busy host takes long for it; the guest goes on meanwhile, but for the transaction.
constexpr std::chrono::seconds order_limit{60};

bool is_run_of_active_state(const Run& run) {
  const auto record = run_record(run.run_folder);
  return !record || !record->snapshot;
}

// What its guest writes is in no layer of the machine's, and goes with it.
void check_no_throw_away(const sys::Host& host, const Machine& machine) {
  if (std::ranges::any_of(throw_away_runs(host, machine), is_run_of_active_state))
    throw Error(ErrorKind::busy,
                fmt::format("machine {0} runs in a throw-away layer, of which no snapshot is made", machine.name))
        .hint(fmt::format("stop it first, which keeps nothing of what it did: hrvm stop {}", machine.name));
}

Error runs_in_libvirt(const Machine& machine, const Domain& domain) {
  return Error(ErrorKind::refused, fmt::format("machine {} runs in libvirt at {}, whose QEMU takes no orders from hrvm",
                                               machine.name, domain.record().uri))
      .hint(fmt::format("stop it first: hrvm stop {}", machine.name));
}

// QEMU has what the definition says.
void check_writes_to_active(const Machine& machine, const std::vector<LiveDisk>& written) {
  for (std::size_t disk = 0; disk < written.size(); ++disk) {
    const auto active = machine.layer_path(machine.definition.active.layer, disk);
    if (!sys::is_same_file(written[disk].file, active))
      throw Error(ErrorKind::external, fmt::format("the guest of {} writes to {}, and its active layer is {}",
                                                   machine.name, written[disk].file.string(), active.string()))
          .on(active)
          .hint("another program has changed its disks: stop the machine, and boot it again");
  }
}

// All disks at once, or none.
Json transaction(const std::vector<LiveDisk>& written, const std::vector<AddedLayer>& layers) {
  Json::Array actions;
  for (std::size_t disk = 0; disk < written.size(); ++disk) {
    auto data = Json::object().set("node", written[disk].node).set("overlay", layers[disk].node);
    actions.push_back(Json::object().set("type", "blockdev-snapshot").set("data", std::move(data)));
  }
  return Json::object().set("actions", std::move(actions));
}

// The guard sees within a second that QEMU writes to other layers; until then it would be held to the bounds of the old
// ones, which may be larger by all that these hold.
void bound(Qmp& qmp, const sys::Host& host, const Machine& machine, const std::vector<AddedLayer>& layers) {
  const auto qemu = qmp.process();
  if (!qemu || !sys::file_size_limit(*qemu)) return;
  std::vector<sys::FileStatus> files;
  for (const auto& layer : layers) files.push_back(sys::status(layer.file));
  const auto& nvram = machine.definition.active.nvram;
  const auto least = nvram ? sys::status(machine.nvram_path(*nvram)).size_bytes : 0;
  const auto bounds = bounds_of(files, room_in(LayerRoom(host, machine.folder / "layers").space()), least);
  sys::limit_file_size(*qemu, std::ranges::max(bounds));
}

// From here to its end the guest's filesystems may stand still, and its processors for the transaction.
std::chrono::milliseconds go_on_in(Qmp& qmp, GuestFreeze& freeze, const std::vector<LiveDisk>& written,
                                   const std::vector<AddedLayer>& layers) {
  for (const auto& layer : layers) qmp.execute("blockdev-add", added_layer(layer), order_limit);
  const auto start = Clock::now();
  freeze.freeze();
  qmp.execute("transaction", transaction(written, layers), order_limit);
  freeze.thaw();
  return std::chrono::ceil<std::chrono::milliseconds>(Clock::now() - start);
}

Error although_taken(const Error& error, const Machine& machine, const std::string& name) {
  return Error(error.kind(), fmt::format("{}; {}@{} was made all the same", error.message(), machine.name, name))
      .hint(error.hint());
}

}  // namespace

bool runs_live(const sys::Host& host, const Machine& machine) {
  const auto domain = active_domain(host, machine);
  if (domain) throw runs_in_libvirt(machine, *domain);
  const auto written = machine::written_layer(machine);
  if (!written) {
    check_no_throw_away(host, machine);
    return false;
  }
  if (machine.definition.is_on_folder())
    throw machine::running(machine, "runs on a folder, of which a snapshot is made only while it is stopped");
  if (auto other = machine::held_by_tool(machine.name, *written)) throw *std::move(other);
  return true;
}

LiveSnapshot make_live_snapshot(const sys::Host& host, const machine::Store& store, const Machine& machine,
                                const machine::Change& pending, Freeze wanted) {
  const auto run_folder = machine::run_folder(host, machine.definition);
  const auto& name = pending.definition.pending->name;
  const auto no_progress = [](std::uint64_t) {};
  std::optional qmp = control_of(run_folder);
  const auto written = live_disks(*qmp, machine.definition.disks.size());
  check_writes_to_active(machine, written);
  GuestFreeze freeze(wanted, wanted == Freeze::never ? std::nullopt : find_agent(host, *qmp, run_folder), machine.name,
                     run_folder);
  LiveSnapshot made;
  try {
    const auto before = apply(store, machine, pending, no_progress);
    const auto layers = layers_to_add(before, written);
    made.stood = go_on_in(*qmp, freeze, written, layers);
    bound(*qmp, host, before, layers);
    const auto kept = plan_pending_kept(before, freeze.consistency(), draw(host, store));
    made.machine = apply(store, before, kept, no_progress);
  } catch (const Error& error) {
    freeze.thaw();
    qmp.reset();  // nobody else is heard before
    const auto settled = load_settled(host, store, machine.name);
    if (settled.definition.find_snapshot(name)) throw although_taken(error, machine, name);
    throw;
  }
  close_to_writes(*qmp, made.machine, machine.definition.active.layer);
  made.findings = freeze.findings();
  return made;
}

}  // namespace hrvm::launch
