// VHD, the disk format of Virtual PC, Hyper-V before 2012 and Azure (Microsoft's "Virtual Hard Disk Image Format
// Specification" of 2006): a footer of 512 bytes ends it; dynamic images begin with a copy of that.
#pragma once

#include <optional>

#include "hrvm/block/block_device.hpp"
#include "hrvm/probe/disk.hpp"

namespace hrvm::probe {

// A fixed one has nothing but its footer, which counts only with a checksum that is right and the size of what lies
// before it: a raw disk may end in a copy of anything.
std::optional<ForeignFile> find_vhd(block::BlockDevice& file);

}  // namespace hrvm::probe
