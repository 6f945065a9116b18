// Recorded machines: folders that hold the /sys, /proc, /dev, /run and /etc of computers that are not here, with disks
// of real content. hrvm sees one through Host::root (--root):
//
//     const auto& server = test::recorded_machine("server");
//     test::TestHost host(server.root());
//     probe::attached_disks(host.host(), false)             two SATA disks and a USB stick
//
//   laptop  nvme0n1, 238 GiB: Debian 12 runs from it, so it is in use (GPT: ESP with a vendor's shim and GRUB, ext4
//   root, swap) server  runs from an NFS root, so that nothing is in use. sda SATA 238 GiB: Proxmox VE 8.1.4 on ext4,
//   boots by BIOS and
//           UEFI; sdb SATA 465 GiB, 512 logical and 4096 physical: ZFS member, boots by BIOS; sdc USB stick 14 GiB:
//           FAT, data
//   live    a rescue system without udevd (no links, no serials by udev): its root is an overlay on tmpfs, its medium
//   the USB
//           stick sdb (in use). sda SATA 119 GiB: Debian 12 in a DOS table with logical partitions, boots by BIOS
//   bare    nothing but an unbound loop device, a CD-ROM drive and zram
//
// Each is described in machines/NAME.txt, whose lines are
//     /path: text            a file with one line
//     /path:                 a file; the indented lines that follow are its text
//     /path -> target        a symbolic link
//     in /path               from here on names without a leading slash lie in that folder
//     /path = RECIPE         a disk: a sparse file as large as /sys/block/<name>/size says, filled by a recipe
//     # comment
// Recipes are in recorded_disks.cpp.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "support/temporary_directory.hpp"

namespace hrvm::test {

class RecordedMachine {
 public:
  // Builds it in a temporary folder of its own, for a test that changes it.
  explicit RecordedMachine(const std::string& name);

  const std::filesystem::path& root() const { return folder_.path(); }
  // Where a file of the machine lies: file("/dev/sda").
  std::filesystem::path file(std::string_view absolute) const;
  const TemporaryDirectory& folder() const { return folder_; }

 private:
  TemporaryDirectory folder_;
};

// Built once in this process, in about 100 ms.
const RecordedMachine& recorded_machine(const std::string& name);
std::vector<std::string> recorded_machine_names();

}  // namespace hrvm::test
