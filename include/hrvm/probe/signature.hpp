// What libblkid says lies on a device: filesystem, volume member, container. Partition tables are not its business
// here.
#pragma once

#include <optional>
#include <string>

#include "hrvm/block/block_device.hpp"

namespace hrvm::probe {

struct Signature {
  std::string type;   // libblkid's word: "ext4", "vfat", "LVM2_member", "zfs_member", "crypto_LUKS", "swap"
  std::string usage;  // "filesystem", "raid", "crypto", "other"
  std::string label;
  std::string uuid;
  std::string version;  // of an encrypted container: "2" of LUKS2
};

// nullopt when there is none, or when several contradict each other. Works on any BlockDevice; libblkid is shown the
// parts of it that it looks at (signature_view.hpp).
std::optional<Signature> read_signature(block::BlockDevice& device);

}  // namespace hrvm::probe
