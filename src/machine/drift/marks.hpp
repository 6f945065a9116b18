// Marks: what is looked at on each kind of filesystem, member and container to see whether it was mounted or written.
// What each of them looks at its own layer knows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hrvm/block/mark.hpp"

namespace hrvm::machine {

using block::Look, block::Marker, block::Region;

// The marker for a type; the one that hashes the first 64 KiB for types that have none, and for "".
Marker marker_for(std::string_view type);

// What is there now, as one text. What cannot be read is kept as such: a bad sector is no reason to refuse a disk.
std::string read_mark(const Marker& marker, block::BlockDevice& device);

// One hash over regions, each cut to what the device has.
std::string hash_regions(block::BlockDevice& device, const std::vector<Region>& regions);

}  // namespace hrvm::machine
