// Place: a partition, a volume or a whole disk, with what lies in it. Its filesystem stays open while the disk is read:
// a system may be spread over several, with its loader in an ESP and its kernels on a boot partition.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/fs/file_system.hpp"
#include "hrvm/probe/signature.hpp"
#include "hrvm/probe/survey.hpp"
#include "probe/efi_loaders.hpp"

namespace hrvm::probe {

struct Place {
  std::string name;                      // "p3", "disk", "pve/root"
  block::BlockDevice* device = nullptr;  // null where it cannot be read; must outlive the place
  unsigned partition = 0;                // its number; 0 for what is none
  std::string partuuid;
  bool is_esp = false, is_extended_boot = false;
  bool is_seen_by_firmware = false;  // a partition or a disk, in contrast to what lies in a volume
  std::optional<Signature> signature;
  std::unique_ptr<fs::FileSystem> files;  // null for what has none, or one that hrvm does not read
  std::vector<System> systems;
  bool is_boot = false;                   // holds kernels or a loader's configuration, and no system
  std::vector<std::string> boot_kernels;  // of a boot partition
  std::vector<EfiLoader> loaders;         // of a FAT that firmware sees
  std::vector<OtherLoader> other_loaders;
};

// Fills in what lies in a place of which the fields before `signature` are set. A FAT with boot loaders that firmware
// sees becomes an EFI system partition. What is broken in it becomes a finding, and costs nothing else. A filesystem
// that lies on several devices is left to whoever has them all (spread_btrfs.hpp).
void look_into(Place& place, std::vector<base::Finding>& findings);
// Fills in what the files of a place show, of which name, signature and files are set.
void look_at_files(Place& place, std::vector<base::Finding>& findings);

}  // namespace hrvm::probe
