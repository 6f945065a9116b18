// What must be so before a machine boots, in the order in which a person would want to know; then its plan.
#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/copy.hpp"
#include "hrvm/launch/boot.hpp"
#include "hrvm/launch/bridge.hpp"
#include "hrvm/launch/console_log.hpp"
#include "hrvm/launch/forwards.hpp"
#include "hrvm/launch/gather.hpp"
#include "hrvm/launch/machine_domain.hpp"
#include "hrvm/launch/new_variables.hpp"
#include "hrvm/launch/settled.hpp"
#include "hrvm/launch/virtiofs.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/machine/folder_layer.hpp"
#include "hrvm/machine/import_sources.hpp"
#include "hrvm/machine/layers.hpp"
#include "hrvm/machine/objection.hpp"
#include "hrvm/machine/share.hpp"
#include "hrvm/probe/survey.hpp"
#include "hrvm/sys/files.hpp"
#include "launch/qemu/memory_needs.hpp"

namespace hrvm::launch {

namespace {

using base::Error;
using base::ErrorKind;
using machine::Machine;
using machine::Purpose;
using machine::State;
using RunBy = BootRequest::RunBy;

// Who prepares a boot, and of what.
struct Asked {
  const sys::Host& host;
  const machine::Store& store;
  const BootRequest& request;
  const Listener& listener;

  void heed(const machine::Objections& objections) const { machine::heed(objections, request.force, listener.warn); }
};

void check_scratch(const machine::Path& scratch) {
  if (sys::status(scratch).type != sys::FileType::directory)
    throw Error(ErrorKind::not_found, fmt::format("{} is no folder", scratch.string()))
        .on(scratch)
        .hint("make it first: mkdir " + base::shell_quote(scratch.string()));
  if (!sys::is_writable(scratch))
    throw Error(ErrorKind::permission, fmt::format("{} cannot be written", scratch.string())).on(scratch);
}

// Of what is written to: the store, or what stands in for it.
void check_room(const Asked& asked) {
  const auto& scratch = asked.request.scratch;
  if (scratch) check_scratch(*scratch);
  const auto& folder = scratch ? *scratch : asked.store.folder();
  const auto storage = machine::examine_storage(asked.host, folder);
  asked.heed(machine::objections(storage, folder));
  if (storage.nearly_full && !storage.low_space)
    asked.listener.warn(fmt::format("{} is more than 85 % full: {}", scratch ? scratch->string() : "the store",
                                    machine::room_text(storage)));
}

// Gives the bases, where they are now, of all its disks.
std::vector<probe::Disk> check(const Asked& asked, const Machine& machine, const State& state) {
  const bool ephemeral = asked.request.ephemeral;
  machine::check_not_running(machine, state, ephemeral);
  machine::check_no_twin_runs(asked.host, asked.store, machine);
  if (!ephemeral) check_domain_is_off(asked.host, asked.listener, machine, asked.request.run_by == RunBy::libvirt);
  auto base = machine::examine_base(asked.host, machine.definition, state);
  asked.heed(machine::objections(machine, base, Purpose::boot));
  for (const auto& disk : base.disks) asked.heed(machine::objections(disk, Purpose::boot));
  check_room(asked);
  asked.store.check_files(machine, state);
  return std::move(base.disks);
}

probe::Disk extra_disk(const Asked& asked, const std::string& source) {
  auto disk = machine::locate_extra_disk(asked.host, source);
  asked.heed(machine::objections(disk, Purpose::boot));
  return disk;
}

// What the machine remembers; `without` is the setting that has it forget.
probe::Disk kept_disk(const Asked& asked, const std::string& what, const std::string& path,
                      const std::string& without) {
  try {
    return extra_disk(asked, path);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
    const auto& name = asked.request.machine;
    throw Error(ErrorKind::not_found, fmt::format("{} of {} is missing: {}", what, name, path))
        .on(path)
        .hint(fmt::format("bring it back, or boot without it from now on: hrvm set {} {}", name,
                          base::shell_quote(without)));
  }
}

std::optional<ExtraSource> disc_source(const Asked& asked, const State& state) {
  if (asked.request.without_disc) return std::nullopt;
  if (const auto& disc = asked.request.iso) return ExtraSource{extra_disk(asked, disc->path), true, disc->boots_first};
  const auto& disc = state.hardware.iso;
  if (!disc) return std::nullopt;
  return ExtraSource{kept_disk(asked, "the disc", disc->path, "iso="), true, disc->boots_first};
}

std::vector<ExtraSource> extra_sources(const Asked& asked, const State& state) {
  std::vector<ExtraSource> sources;
  for (const auto& path : state.hardware.disks)
    sources.push_back({kept_disk(asked, "another disk", path, "disk=-" + path), false, false});
  for (const auto& source : asked.request.extra_disks) sources.push_back({extra_disk(asked, source), false, false});
  if (auto disc = disc_source(asked, state)) sources.push_back(*std::move(disc));
  return sources;
}

// What the machine remembers may have gone, or lie on its disk by now.
void check_shares(const Asked& asked, const machine::Definition& definition, const LaunchPlan& plan) {
  for (const auto& share : plan.companions.shares) {
    try {
      check_share(asked.host, asked.store, definition, share.what);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::not_found) throw;
      throw Error(error.kind(), error.message())
          .on(share.what.folder)
          .hint(fmt::format("bring it back, or boot without it: --share-folder none, or for good hrvm set {} share=-{}",
                            plan.name, share.what.tag));
    }
  }
}

// libvirt joins a bridge by itself, which may be one of another host.
std::string bridge_helper(const Asked& asked, const State& state) {
  const auto network = asked.request.launch.hardware.network.value_or(state.hardware.network);
  if (network.kind != machine::NetworkKind::bridge || asked.request.run_by != RunBy::hrvm) return {};
  return usable_bridge_helper(asked.host, network.bridge);
}

LaunchCircumstances gather_for(const Asked& asked, const Machine& machine, const State& state,
                               const std::vector<probe::Disk>& bases, const std::optional<machine::Path>& variables) {
  auto circumstances = gather(asked.host, machine, bases, variables);
  for (const auto& id : asked.request.launch.usb) check_usb_device(asked.host, id);
  circumstances.bridge_helper = bridge_helper(asked, state);
  circumstances.extra_sources = extra_sources(asked, state);
  if (asked.request.keeps_console && asked.request.run_by == RunBy::hrvm)
    circumstances.console_log = next_console_log(machine);
  // The guest may have another by now than was there at import.
  if (machine.definition.is_on_folder())
    circumstances.kernel = find_kernel_files(machine::folder_stack(machine, state));
  return circumstances;
}

std::vector<machine::Path> layers_of(const Machine& machine, const State& state) {
  std::vector<machine::Path> layers;
  for (const auto& id : machine.definition.chain(state)) layers.push_back(machine.layer_path(id));
  return layers;
}

// The machine's own layer and variables; the first UEFI boot makes the variables.
LaunchPlan plan_lasting(const Boot& boot, const LaunchCircumstances& circumstances) {
  return plan_launch(boot.machine, boot.state, layers_of(boot.machine, boot.state),
                     boot.variables.value_or(boot.machine.nvram_path(boot.id)), boot.request.launch, circumstances);
}

// A layer over them, in a folder of its own.
LaunchPlan plan_ephemeral(const Boot& boot, LaunchCircumstances circumstances) {
  const auto& scratch = boot.request.scratch;
  const auto folder = ThrowAway::folder_of(boot.machine, boot.id, scratch);
  if (scratch) circumstances.layer_direct = circumstances.layer_direct && block::supports_direct_io(scratch->string());
  auto layers = layers_of(boot.machine, boot.state);
  layers.insert(layers.begin(), folder / boot.machine.definition.layer_name("layer"));
  circumstances.run_folder /= boot.id;
  circumstances.tpm_folder = folder / "tpm";
  if (!circumstances.console_log.empty() && !sys::is_writable(boot.machine.folder))
    circumstances.console_log = console_log_in(folder);
  return plan_launch(boot.machine, boot.state, layers, folder / "nvram.fd", boot.request.launch, circumstances);
}

struct LibvirtBus {
  machine::Bus bus;
  std::string_view shown;
};
// The faster ones first, as import has them.
constexpr LibvirtBus libvirt_buses[] = {
    {machine::Bus::virtio, "virtio"}, {machine::Bus::sata, "SATA"}, {machine::Bus::scsi, "SCSI"}};

// libvirt has no emulated NVMe disks. Its domain gets the next bus that the system on the base is known to start from;
// where none is known, or another was asked for, making the domain's XML says what to do.
BootRequest fit_for_libvirt(const Asked& asked, const State& state, const probe::Disk& base) {
  BootRequest request = asked.request;
  auto& bus = request.launch.hardware.bus;
  if (request.run_by == RunBy::hrvm || bus || state.hardware.bus != machine::Bus::nvme) return request;
  if (base.kind == probe::DiskKind::directory) return request;
  const auto contents = probe::survey_disk(asked.host, base, probe::Thoroughness::quick).contents;
  const auto* system = contents.own_system();
  if (system == nullptr) return request;
  for (const LibvirtBus& each : libvirt_buses)
    for (const probe::DriverEvidence& driver : system->drivers) {
      const bool has_sectors = each.bus != machine::Bus::sata || base.sectors.logical_bytes <= 512;
      if (bus || driver.bus != each.bus || driver.verdict != probe::Verdict::yes || !has_sectors) continue;
      bus = each.bus;
      asked.listener.warn(fmt::format("libvirt has no emulated NVMe disks: the domain of {} gets {} ({})",
                                      request.machine, each.shown, driver.because));
    }
  return request;
}

// The snapshot whose guest is to go on: the one that boots, or the one that the active state lies on with nothing
// written since.
const machine::Snapshot& snapshot_to_resume(const Asked& asked, const Boot& boot) {
  const auto& machine = boot.machine;
  const auto name = boot.request.snapshot ? boot.request.snapshot : boot.state.head;
  if (!name)
    throw Error(ErrorKind::not_found,
                fmt::format("{} lies on no snapshot, and has no memory to go on from", machine.name))
        .hint(fmt::format("make one while it runs: hrvm snapshot create {}@NAME --with-memory", machine.name));
  const auto& snapshot = machine::snapshot_of(machine, *name);
  if (!snapshot.memory)
    throw Error(ErrorKind::not_found, fmt::format("the snapshot {}@{} holds no memory", machine.name, *name))
        .hint("leave out --resume; a snapshot holds memory that was made of a running machine with --with-memory");
  if (!boot.request.snapshot && !machine::draw(asked.host, asked.store, machine).is_active_empty)
    throw Error(ErrorKind::refused,
                fmt::format("{0} was written to since its snapshot {1}: its disks no longer fit the memory of {0}@{1}",
                            machine.name, *name))
        .hint(fmt::format("go back first: hrvm snapshot revert {0}@{1}; or look at it: hrvm boot {0}@{1} --resume",
                          machine.name, *name));
  return snapshot;
}

machine::Objections objections_to_resume(const Machine& machine, const machine::Snapshot& snapshot,
                                         const std::vector<std::string>& differences) {
  if (differences.empty()) return {};
  return {
      {Error(ErrorKind::refused, fmt::format("the guest of {}@{} cannot go on in another machine than it ran in: {}",
                                             machine.name, snapshot.name, base::join(differences, "; ")))
           .hint("boot it as it was booted then, or without --resume; --force tries it all the same"),
       true}};
}

PlannedMemory memory_to_resume(const Asked& asked, const Boot& boot) {
  const auto& snapshot = snapshot_to_resume(asked, boot);
  const auto& memory = *snapshot.memory;
  if (auto fault = machine::memory_fault(boot.machine, snapshot)) throw *std::move(fault);
  const auto now = needs_of_plan(asked.host, boot.plan);
  asked.heed(objections_to_resume(boot.machine, snapshot, differences(memory.needs, now)));
  return {boot.machine.memory_path(memory.id), memory.machine_type, -1, memory.sha256,
          fmt::format("{}@{}", boot.machine.name, snapshot.name)};
}

}  // namespace

Boot prepare(const sys::Host& host, const machine::Store& store, const BootRequest& request, const Listener& listener) {
  const Asked asked{host, store, request, listener};
  auto lock = store.lock(request.machine);
  auto machine = load_settled(host, store, request.machine);
  auto state = machine::state_of(machine, request.snapshot);
  const auto bases = check(asked, machine, state);
  const auto fitted = fit_for_libvirt(asked, state, bases.front());
  auto variables =
      fitting_variables(machine, state, request.launch.hardware.secure_boot.value_or(state.hardware.secure_boot));
  const auto circumstances = gather_for(asked, machine, state, bases, variables);
  auto id = request.ephemeral ? store.new_id() : id_of_next_variables(machine);
  Boot boot{fitted,
            store,
            std::move(lock),
            std::move(machine),
            std::move(state),
            bases.front(),
            std::move(id),
            std::move(variables),
            {}};
  boot.plan = request.ephemeral ? plan_ephemeral(boot, circumstances) : plan_lasting(boot, circumstances);
  boot.plan.snapshot = request.snapshot;
  if (request.resume) boot.plan.memory = memory_to_resume(asked, boot);
  check_shares(asked, boot.machine.definition, boot.plan);
  if (request.run_by == RunBy::hrvm) check_forwards(boot.plan);
  return boot;
}

}  // namespace hrvm::launch
