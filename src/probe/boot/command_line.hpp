// What a Linux kernel's command line says about where the system is and where it speaks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hrvm::probe {

struct CommandLine {
  std::string root;       // as it stands there: "UUID=…", "/dev/mapper/pve-root", "ZFS=rpool/ROOT/pve-1"
  std::string subvolume;  // of rootflags=subvol=…: "@rootfs", without slashes before it
  std::optional<std::uint64_t> subvolume_id;  // of rootflags=subvolid=…
  std::string resume;                         // empty where it is not said, or "noresume" is
  bool no_resume = false;
  std::string usr;                    // of mount.usr=: as `root`
  std::string ostree;                 // "/ostree/boot.1/fedora/9f…/0": the link that leads to the deployment
  std::string composefs;              // the image of a deployment: "9f…", without "?" before it
  std::string init;                   // "/nix/store/…/init"
  std::vector<std::string> consoles;  // "tty0", "ttyS0": the last one is /dev/console
  std::vector<std::string> luks;  // what has to be opened first: "UUID=…", "/dev/sda3", of rd.luks.* and cryptdevice=
  std::vector<std::string> volumes;       // "pve/root", "pve": what has to be there first, of rd.lvm.lv= and rd.lvm.vg=
  std::vector<std::string> key_files;     // of rd.luks.key=: "/keyfile:UUID=…"
  std::vector<std::string> luks_options;  // of rd.luks.options=: "tpm2-device=auto"
  std::vector<std::string> arrays;  // UUIDs of rd.md.uuid=, in one of the ways in which mdadm and others write them

  bool has_serial_console() const;
  // Whether the root is to be found by the type of its partition.
  bool leaves_root_to_type() const { return root.empty() || root == "gpt-auto" || root == "gpt-auto-force"; }
};

CommandLine parse_command_line(std::string_view text);

// How a device is named, in a command line, in fstab or crypttab.
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

  // True where the name of the same device is another in a machine.
  bool goes_with_hardware() const {
    return by == By::kernel_name || by == By::multipath || by == By::path || by == By::id;
  }
};

// "UUID=…", "LABEL=…", "/dev/…", "ZFS=…", "zfs:…". A value may stand in quotes, as mount(8) takes them away.
DeviceName parse_device_name(std::string_view text);

// "vg--a-lv--b" of device-mapper is "vg-a/lv-b"; empty for what is no such name.
std::string logical_volume_of(std::string_view mapper_name);

}  // namespace hrvm::probe
