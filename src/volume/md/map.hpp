// How the bytes of an md array lie on its members.
#pragma once

#include <map>
#include <vector>

#include "hrvm/block/block_device.hpp"
#include "volume/mapped_volume.hpp"
#include "volume/md/super.hpp"

namespace hrvm::volume::md {

struct Part {
  block::BlockDevice* device = nullptr;
  Super super;
};
using Parts = std::map<std::uint32_t, Part>;  // those that are here and current, by role

// Error{unsupported} for levels that are not read, {not_found} where members that it needs are not here, {corrupt} for
// what cannot be.
std::vector<MappedSegment> map_array(const Super& array, const Parts& parts);

// "raid5"
std::string level_name(std::int32_t level);

}  // namespace hrvm::volume::md
