// fstab(5) and crypttab(5): names that go with the computer, what lies on other disks or on the network, keys that the
// computer or the network keeps.
#include <algorithm>
#include <iterator>
#include <string_view>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "probe/boot/command_line.hpp"
#include "probe/boot/device_name.hpp"
#include "probe/hazards/hazards.hpp"
#include "probe/hazards/key_hardware.hpp"
#include "probe/hazards/tables.hpp"
#include "probe/hazards/whereabouts.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;

constexpr std::string_view network_types[] = {"nfs",  "nfs4",      "cifs", "smb3",       "smbfs",
                                              "ceph", "glusterfs", "afs",  "fuse.sshfs", "davfs"};

bool is_on_network(const Mount& mount) {
  return std::ranges::find(network_types, mount.type) != std::end(network_types);
}

// Names that are made of ids: nobody writes them by hand, and one that is not found is no mistake of a person's.
bool is_id_of_volume(const DeviceName& device) {
  using By = DeviceName::By;
  return device.by == By::volume_id || device.by == By::luks_id ||
         (device.by == By::array && device.name.find(':') != std::string::npos);
}

constexpr const char* by_uuid = "write UUID=… (from blkid) instead, on the computer itself or in the machine";

class Mounts {
 public:
  explicit Mounts(const HazardContext& context) : context_(context), names_(context) {}

  void run(Findings& findings) && {
    for (const Mount& mount : awaited_mounts(*context_.root)) take(mount);
    const auto add = [&](const char* id, Severity severity, std::string message, std::string remedy) {
      findings.push_back({id, severity, context_.system.root, std::move(message), std::move(remedy)});
    };
    if (!bound_.empty())
      add("fstab-names-hardware", Severity::warning,
          "/etc/fstab names devices as this computer does, and a machine may name them otherwise: " + bound_.text(),
          by_uuid);
    if (!on_bus_.empty())
      add("fstab-names-hardware", Severity::note,
          "/etc/fstab names devices as this computer does, and a machine does so on the same kind of bus alone: " +
              on_bus_.text(),
          fmt::format("nothing: the machine gets such a bus where its system has the driver; for another, {}",
                      by_uuid));
    if (!elsewhere_.empty())
      add("fstab-other-disk", Severity::warning,
          "/etc/fstab mounts what is not on this disk, and the start waits for it: " + elsewhere_.text(),
          "add nofail to its options, or give the machine that disk as well");
    if (!ids_.empty())
      add("fstab-other-disk", Severity::note,
          "/etc/fstab mounts volumes by their own ids, which stay, and they are not on this disk: " + ids_.text(),
          "give the machine their disk as well, or add nofail to their options");
    if (!remote_.empty())
      add("fstab-other-disk", Severity::note,
          "/etc/fstab mounts from the network, and an isolated machine waits for it in vain: " + remote_.text(),
          "add nofail to its options, or give the machine a network: --net nat");
    if (!twice_.empty())
      add("duplicate-identity", Severity::warning,
          "/etc/fstab names what two filesystems of this disk are called, and takes the one or the other: " +
              twice_.text(),
          "in the machine, give one of them another: tune2fs -U random, xfs_admin -U generate, sgdisk -u, e2label");
  }

 private:
  void take(const Mount& mount) {
    const std::string told = fmt::format("{} ({})", mount.what, mount.type == "swap" ? "swap" : mount.where);
    if (is_on_network(mount)) return remote_.add(told);
    const auto place = names_.find(mount.what);
    if (place.where == Where::never)
      bound_.add(told);
    else if (place.where == Where::on_a_bus)
      (names_.has_bus(place.buses) ? on_bus_ : bound_).add(told);
    else if (place.where == Where::twice)
      twice_.add(told);
    else if (place.where == Where::elsewhere)
      (is_id_of_volume(parse_device_name(mount.what)) ? ids_ : elsewhere_).add(told);
  }

  const HazardContext& context_;
  DeviceNames names_;
  Told bound_, on_bus_, elsewhere_, ids_, remote_, twice_;
};

bool has_prefix(const EncryptedDevice& device, std::string_view prefix) {
  return std::ranges::any_of(device.options, [&](const std::string& each) { return each.starts_with(prefix); });
}

// "/keyfile:UUID=3f1c" and "/dev/disk/by-id/usb-…": a key that lies on a stick.
std::string device_of_key(const std::string& key) {
  if (key.starts_with("/dev/disk/by-") || key.starts_with("/dev/sd")) return key;
  const auto colon = key.rfind(':');
  return colon == std::string::npos ? std::string() : key.substr(colon + 1);
}

bool is_gone(Where where) { return where == Where::elsewhere || where == Where::never; }

// Of a system that cannot be looked into, that by which its initramfs opens it.
std::vector<EncryptedDevice> crypttab_of(const HazardContext& context) {
  if (context.root != nullptr) return encrypted_devices(read_table(*context.root, "/etc/crypttab"));
  for (const char* table : {"cryptroot/crypttab", "etc/crypttab"})
    if (const auto found = context.initramfs.configuration.find(table); found != context.initramfs.configuration.end())
      return encrypted_devices(parse_table(found->second));
  return {};
}

// rd.luks.options=tpm2-device=auto or =UUID=tpm2-device=auto, rd.luks.key=/key:UUID=…
void take_command_line(const HazardContext& context, const DeviceNames& names, Told& in_hardware) {
  const std::string own = context.system.boot ? context.system.boot->command_line : std::string();
  const CommandLine line = parse_command_line(context.initramfs.command_line() + own);
  for (const std::string& options : line.luks_options)
    for (std::string_view kind : {"tpm2-device=", "fido2-device=", "pkcs11-uri="})
      if (options.find(kind) != std::string::npos) in_hardware.add("rd.luks.options=" + options);
  for (const std::string& key : line.key_files)
    if (const auto stick = device_of_key(key); !stick.empty() && is_gone(names.find(stick).where))
      in_hardware.add("rd.luks.key=" + key);
}

}  // namespace

void check_mounts(const HazardContext& context, Findings& findings) { Mounts(context).run(findings); }

void check_keys(const HazardContext& context, Findings& findings) {
  const DeviceNames names(context);
  Told bound, sealed, in_hardware, elsewhere;
  for (const EncryptedDevice& container : crypttab_of(context)) {
    if (!container.is_awaited) continue;
    const auto [place, buses] = names.find(container.device);
    if (place == Where::never || (place == Where::on_a_bus && !names.has_bus(buses)))
      bound.add(fmt::format("{} ({})", container.device, container.name));
    // One that is seen nowhere may lie in a closed container of its own, and is told where none is.
    if (place == Where::elsewhere) elsewhere.add(fmt::format("{} ({})", container.device, container.name));
    if (has_prefix(container, "tpm2-device=")) sealed.add(container.name);
    if (has_prefix(container, "fido2-device=")) in_hardware.add(container.name + " (FIDO2)");
    if (has_prefix(container, "pkcs11-uri=")) in_hardware.add(container.name + " (PKCS#11)");
    if (const auto stick = device_of_key(container.key); !stick.empty() && is_gone(names.find(stick).where))
      in_hardware.add(fmt::format("{} ({})", container.name, container.key));
  }
  take_command_line(context, names, in_hardware);
  // The header's own tokens say it already.
  const bool is_told =
      std::ranges::find(findings, std::string_view(key_in_hardware), &base::Finding::id) != findings.end();
  const auto add = [&](const char* id, std::string message, std::string remedy) {
    findings.push_back({id, Severity::warning, context.system.root, std::move(message), std::move(remedy)});
  };
  if (!bound.empty())
    add("crypttab-names-hardware",
        "/etc/crypttab names devices as this computer does, and a machine may name them otherwise: " + bound.text(),
        by_uuid);
  if (!elsewhere.empty())
    add("start-waits-for-other-disk",
        "/etc/crypttab opens what is not on this disk, and the start waits for it: " + elsewhere.text(),
        "add nofail to its options, or give the machine that disk as well");
  if (!sealed.empty())
    add("key-in-tpm",
        fmt::format("the key of {} lies in this computer's TPM, which a machine does not have", sealed.text()),
        "have a passphrase or the recovery key at hand: the machine will ask for it");
  if (!in_hardware.empty() && !is_told) add(key_in_hardware, key_in_hardware_message(in_hardware.text()), key_remedy);
}

}  // namespace hrvm::probe
