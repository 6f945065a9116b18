// VHD, the disk format of Virtual PC, Hyper-V before 2012 and Azure (Microsoft's "Virtual Hard Disk Image Format
// Specification" of 2006): a footer of 512 bytes ends it; dynamic images begin with a copy of that.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "hrvm/base/endian.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/probe/disk.hpp"

namespace hrvm::probe {

struct VhdFooter {
  std::array<char, 8> cookie;  // "conectix"
  base::be32 features, version;
  base::be64 data_offset;
  base::be32 time;
  std::array<char, 4> creator;
  base::be32 creator_version, creator_system;
  base::be64 original_bytes, current_bytes;
  base::be16 cylinders;
  std::uint8_t heads, sectors;
  base::be32 type;
  base::be32 checksum;  // the complement of the sum of all bytes but these
  std::array<std::byte, 444> rest;
};
static_assert(sizeof(VhdFooter) == 512 && offsetof(VhdFooter, type) == 60);

// A fixed one has nothing but its footer, which counts only with a checksum that is right and the size of what lies
// before it: a raw disk may end in a copy of anything.
std::optional<ForeignFile> find_vhd(block::BlockDevice& file);

}  // namespace hrvm::probe
