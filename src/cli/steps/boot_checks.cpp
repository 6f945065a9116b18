#include "cli/steps/boot_checks.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/launch/domain.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/machine/import.hpp"
#include "hrvm/machine/storage.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using machine::Machine;

// A refusal, or with --force a warning of the same words.
void refuse(const Context& context, Error error, bool force) {
  if (!force) throw error;
  context.warn(error.message());
}

// By the lock that QEMU holds on the layer, so also when virsh or a pasted command runs it.
void check_unused(const Machine& machine, const sys::Path& layer, bool ephemeral) {
  const auto use = block::image_use(layer);
  if (use == block::ImageUse::write)
    throw Error(ErrorKind::busy, fmt::format("machine {} is running already", machine.name))
        .on(layer)
        .hint(fmt::format("stop it first: hrvm stop {}", machine.name));
  if (use == block::ImageUse::read && !ephemeral)
    throw Error(ErrorKind::busy,
                fmt::format("somebody reads the active layer of {}: an ephemeral boot, or qemu-img", machine.name))
        .on(layer)
        .hint(fmt::format("wait for its end, or end it: hrvm stop {}", machine.name));
}

void check_not_running(const Machine& machine, const machine::State& state, bool ephemeral) {
  for (std::size_t disk = 0; disk < machine.definition.disk_count(); ++disk)
    check_unused(machine, machine.layer_path(state.layer, disk), ephemeral);
}

// libvirt may run it on another host, or keep the memory of a guest whose disk must not move on without it.
void check_domain(const Context& context, const Machine& machine, bool in_libvirt) {
  const auto record = launch::domain_record(machine.folder);
  if (!record) return;
  const launch::Domain domain(context.host, *record);
  try {
    const auto state = domain.state();
    if (state == launch::DomainState::missing) return;
    if (state != launch::DomainState::off)
      throw Error(ErrorKind::busy,
                  fmt::format("machine {} is running already, in libvirt at {}", machine.name, record->uri))
          .hint(fmt::format("stop it first: hrvm stop {}", machine.name));
    if (!in_libvirt) domain.check_nothing_saved();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::busy) throw;
    if (context.verbose) context.warn(error.message());
  }
}

std::vector<probe::Disk> check_bases(const Context& context, const Machine& machine, const machine::State& state,
                                     bool force) {
  const auto found = machine::examine_base(context.host, machine.definition, state);
  const auto& path = machine.definition.base.path;
  const auto reasons = base::join(found.reasons, "; ");
  if (found.drift == machine::Drift::missing || !found.disk)
    throw Error(ErrorKind::not_found,
                fmt::format("{} of {} is missing{}{}", machine.definition.others.empty() ? "the base" : "a base",
                            machine.name, reasons.empty() ? "" : ": ", reasons))
        .on(path)
        .hint("attach the disk again, or put the image back; it is known by its serial number, not by its path");
  if (found.drift == machine::Drift::changed)
    refuse(context,
           Error(ErrorKind::refused,
                 machine.definition.others.empty()
                     ? fmt::format("{} has changed under the layers of {}: {}", found.disk->path, machine.name, reasons)
                     : fmt::format("a disk of {} has changed under its layers: {}", machine.name, reasons))
               .on(path)
               .hint(fmt::format("hrvm reset {} starts over from the disk as it is; --force boots all the same, and "
                                 "files that changed may be damaged",
                                 machine.name)),
           force);
  return found.disks;
}

void check_use(const Context& context, const probe::Disk& base, bool force) {
  const auto uses = probe::uses_of(context.host, base);
  const auto writer = std::ranges::find_if(uses, &probe::Use::writable);
  if (writer == uses.end()) return;
  const bool mounted = writer->by == probe::UsedBy::mount;
  refuse(context,
         Error(ErrorKind::refused, fmt::format("{} is in use for writing: {} {}", base.path,
                                               mounted ? "mounted at" : word(writer->by), writer->what))
             .on(base.path)
             .hint(mounted ? fmt::format("umount {}, or mount it read-only; --force boots all the same",
                                         base::shell_quote(writer->what))
                           : "end that use; --force boots all the same"),
         force);
}

void check_space(const Context& context, const machine::Store& store, bool force) {
  const auto storage = machine::examine_storage(context.host, store.folder());
  const auto room = fmt::format("{} of {} free on {}", base::format_bytes(storage.available_bytes),
                                base::format_bytes(storage.total_bytes), storage.mount_point);
  if (storage.low_space)
    return refuse(context,
                  Error(ErrorKind::refused, fmt::format("the store has too little room: {}", room))
                      .on(store.folder())
                      .hint("make room; --force boots all the same, and a full store pauses the machine"),
                  force);
  if (storage.nearly_full) context.warn("the store is more than 85 % full: " + room);
}

}  // namespace

probe::Disk locate_extra_disk(const Context& context, const std::string& source) {
  auto disk = probe::locate_disk(context.host, source);
  if (disk.kind == probe::DiskKind::directory)
    throw Error(ErrorKind::unsupported, fmt::format("{} is a folder, not a disk", disk.path)).on(disk.path);
  if (auto obstacle = machine::image_obstacle(disk)) throw std::move(*obstacle);
  return disk;
}

std::string kept_path(const probe::Disk& disk) { return disk.stable_path.empty() ? disk.path : disk.stable_path; }

probe::Disk check_extra_disk(const Context& context, const std::string& source, bool force) {
  auto disk = locate_extra_disk(context, source);
  check_use(context, disk, force);
  return disk;
}

std::vector<probe::Disk> check_boot(const Context& context, const machine::Store& store, const Machine& machine,
                                    const machine::State& state, const BootWords& words) {
  const bool ephemeral = words.ephemeral, force = words.force;
  check_not_running(machine, state, ephemeral);
  if (!ephemeral) check_domain(context, machine, words.libvirt.has_value());
  auto bases = check_bases(context, machine, state, force);
  for (const auto& base : bases)
    if (!base.path.empty()) check_use(context, base, force);
  check_space(context, store, force);
  store.check_files(machine, state);
  return bases;
}

}  // namespace hrvm::cli
