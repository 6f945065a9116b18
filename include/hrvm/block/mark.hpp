// What moves on a device when what it bears, a filesystem, a member or an image, is mounted or written. Each kind knows
// its own places; a mark is made of what lies there.
//
// A look reads next to nothing itself: it names the regions that move, which are then hashed, and may add a text for
// people. What a hostile disk says about places is held against the device's size when the regions are read. Both go
// into marks that are compared with those of an earlier release: what a look gives for a disk never changes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/block/block_device.hpp"

namespace hrvm::block {

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
  Look (*look)(BlockDevice& device);
};

// Of what keeps all that moves at its start.
template <std::uint64_t length>
Look look_at_start(BlockDevice&) {
  return {{{0, length}}, {}};
}

}  // namespace hrvm::block
