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

}  // namespace hrvm::probe
