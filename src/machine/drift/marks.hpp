// Marks: what is looked at on each kind of filesystem, member and container to tell whether it was mounted or written.
//
// A look reads next to nothing itself: it names the regions that move, which are then hashed, and may add a text for
// people. What a hostile disk says about places is held against the device's size when the regions are read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/block/block_device.hpp"

namespace hrvm::machine {

struct Region {
  std::uint64_t offset = 0, length = 0;  // bytes
};

struct Look {
  std::vector<Region> regions;
  std::string text;  // "mounted 3 times, …"; may be empty
};

struct Marker {
  std::string_view type;  // libblkid's word
  std::string_view noun;  // "superblock"
  Look (*look)(block::BlockDevice& device);
};

// The marker for a type; the one that hashes the first 64 KiB for types that have none, and for "".
const Marker& marker_for(std::string_view type);

// What is there now, as one text. What cannot be read is told as such: a bad sector is no reason to refuse a disk.
std::string read_mark(const Marker& marker, block::BlockDevice& device);

// One hash over regions, each cut to what the device has.
std::string hash_regions(block::BlockDevice& device, const std::vector<Region>& regions);

// Filesystems whose moving fields lie where other fields say.
Look look_at_ext(block::BlockDevice& device);
Look look_at_fat(block::BlockDevice& device);
Look look_at_xfs(block::BlockDevice& device);
Look look_at_btrfs(block::BlockDevice& device);
Look look_at_ntfs(block::BlockDevice& device);
Look look_at_luks(block::BlockDevice& device);
Look look_at_md(block::BlockDevice& device);
// Of the file, not of what it shows.
Look look_at_qcow2(block::BlockDevice& device);

}  // namespace hrvm::machine
