// The menus of the boot loaders on a disk: who offers what, and which entry is the default.
//
// Each loader's configuration is looked for where its tools put it (the table in boot_menus.cpp). A GRUB in an EFI
// system partition goes on with the file that its stub names. Each file is read once, and is at most 1 MiB.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "hrvm/fs/file_system.hpp"
#include "probe/boot/boot_entry.hpp"

namespace hrvm::probe {

// A filesystem of the disk that may hold a boot loader's files.
struct BootPlace {
  std::string name;  // "p2", "pve/root"
  std::string uuid, label;
  bool is_esp = false;
  fs::FileSystem* files = nullptr;
  bool is_extended_boot = false;  // a partition of the type XBOOTLDR
};

struct BootMenu {
  std::string loader;  // "systemd-boot", "GRUB", "SYSLINUX"; "UEFI" where the firmware itself starts what lies there
  std::string place;   // where its configuration lies: "p2"
  std::string path;    // "/grub/grub.cfg"
  std::vector<BootEntry> entries;
};

// The one that would show first comes first. A menu without entries is left out. What cannot be read costs no other.
std::vector<BootMenu> read_boot_menus(std::span<const BootPlace> places);

// Where the files of an entry lie; nullptr when that is not among `places`.
const BootPlace* place_of(const BootEntry& entry, const BootMenu& menu, std::span<const BootPlace> places);

}  // namespace hrvm::probe
