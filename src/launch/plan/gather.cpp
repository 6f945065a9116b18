#include "hrvm/launch/gather.hpp"

#include <algorithm>

#include "hrvm/block/copy.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::launch {

namespace {

bool layer_direct(const machine::Machine& machine) {
  return block::supports_direct_io((machine.folder / "layers").string());
}

bool has_display(const sys::Host& host) {
  return host.variable("DISPLAY").value_or("") != "" || host.variable("WAYLAND_DISPLAY").value_or("") != "";
}

std::optional<std::uint64_t> size_of(const std::optional<machine::Path>& file) {
  if (!file) return std::nullopt;
  const auto found = sys::status(*file);
  return found.type == sys::FileType::regular ? std::optional(found.size_bytes) : std::nullopt;
}

constexpr unsigned others_may_read = 0004, others_may_enter = 0001;

bool is_reachable_for_others(const sys::Path& folder) {
  if ((sys::status(folder).mode & others_may_enter) == 0) return false;
  return folder == folder.root_path() || is_reachable_for_others(folder.parent_path());
}

bool is_readable_for_others(const sys::Path& file) {
  return (sys::status(file).mode & others_may_read) != 0 && is_reachable_for_others(file.parent_path());
}

bool is_roots_alone(const probe::Disk& base) {
  if (base.path.empty() || base.kind == probe::DiskKind::disk) return false;
  if (base.files.empty()) return !is_readable_for_others(base.path);
  return std::ranges::any_of(
      base.files, [](const probe::ImageFile& file) { return !file.is_device && !is_readable_for_others(file.path); });
}

// libvirt's QEMU has a user of its own. It is given the layers, and in its own /dev a disk, but not the folders above
// them, nor an image file that is a base.
bool libvirt_needs_root(const sys::Host& host, const machine::Machine& machine, const std::vector<probe::Disk>& bases) {
  if (!host.is_root()) return false;
  return !is_reachable_for_others(machine.folder / "layers") || std::ranges::any_of(bases, is_roots_alone);
}

}  // namespace

std::optional<std::string> find_qemu(const sys::Host& host) {
  for (const auto* name : {"qemu-system-x86_64", "qemu-kvm"}) {
    if (auto found = host.find_program(name)) return found;
  }
  return host.first_existing({"/usr/libexec/qemu-kvm"});
}

std::optional<std::string> find_virtiofsd(const sys::Host& host) {
  if (auto found = host.first_existing({"/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd", "/usr/lib/virtiofsd",
                                        "/usr/lib/kvm/virtiofsd", "/usr/local/libexec/virtiofsd",
                                        "/run/current-system/sw/bin/virtiofsd"}))
    return found;
  return host.find_program("virtiofsd");
}

LaunchCircumstances gather(const sys::Host& host, const machine::Machine& machine,
                           const std::vector<probe::Disk>& bases, const std::optional<machine::Path>& nvram) {
  LaunchCircumstances found;
  found.run_folder = machine::run_folder(host, machine.definition);
  const auto cache_folder = found.run_folder.parent_path();
  found.qemu = find_qemu(host).value_or("");
  found.swtpm = host.find_program("swtpm").value_or("");
  found.virtiofsd = find_virtiofsd(host).value_or("");
  found.is_root = host.is_root();
  found.tpm_folder = machine.tpm_folder();
  found.kvm = sys::cached_kvm_proof(host, cache_folder);
  found.firmwares = uefi_firmwares(host);
  found.nvram_bytes = size_of(nvram);
  found.layer_direct = layer_direct(machine);
  found.display = has_display(host);
  found.libvirt_as_root = libvirt_needs_root(host, machine, bases);
  found.disks = bases;
  return found;
}

}  // namespace hrvm::launch
