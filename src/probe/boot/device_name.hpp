// How a device is named, in a kernel's command line, in fstab or crypttab.
#pragma once

#include <string>
#include <string_view>

namespace hrvm::probe {

struct DeviceName {
  enum class By {
    unknown,
    uuid,
    label,
    partuuid,
    partlabel,
    logical_volume,  // "pve/root"
    mapper,          // a name under /dev/mapper that can be a logical volume or an opened container
    dataset,         // "rpool/ROOT/pve-1", or empty for the one that the pool's bootfs names
    array,           // its UUID or its name, of /dev/md and of /dev/disk/by-id/md-*
    volume_id,       // of a logical volume: the group's 32 characters and its own, without dashes
    luks_id,         // of an opened container: 32 digits of its UUID
    kernel_name,     // "sda3": goes with the bus
    multipath,       // "mpatha2": goes with the SAN
    path,            // "pci-0000:00:1f.2-ata-1-part3": of /dev/disk/by-path, goes with the bus
    id,              // of /dev/disk/by-id, goes with the disk's model and serial number
  };
  By by = By::unknown;
  std::string name;
  unsigned partition = 0;  // the number that a kernel_name, multipath, path or id ends with
  int offset = 0;          // of a partuuid: how many numbers further on the partition has that is meant, "/PARTNROFF=1"

  // True where the name of the same device is another in a machine.
  bool goes_with_hardware() const {
    return by == By::kernel_name || by == By::multipath || by == By::path || by == By::id;
  }
};

// "UUID=…", "LABEL=…", "/dev/…", "ZFS=…", "zfs:…", and the kernel's numbers for a device, "802" and "8:2". A value may
// stand in quotes, as mount(8) takes them away.
DeviceName parse_device_name(std::string_view text);

// "vg--a-lv--b" of device-mapper is "vg-a/lv-b"; empty for what is no such name.
std::string logical_volume_of(std::string_view mapper_name);

}  // namespace hrvm::probe
