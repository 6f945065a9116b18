// What libblkid says lies on a device: filesystem, volume member, container. Partition tables are not its business
// here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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

// One of several, with where its mark lies.
struct FoundSignature {
  Signature signature;
  std::uint64_t offset = 0;
};

struct Signatures {
  std::optional<Signature> agreed;  // as read_signature
  // All there are, in libblkid's order, where they contradict each other; and where the one that libblkid settles for
  // is a member of an array by a mark in the second half, which a filesystem that was made later may have left there.
  std::vector<FoundSignature> contested;
};
Signatures read_signatures(block::BlockDevice& device);

}  // namespace hrvm::probe
