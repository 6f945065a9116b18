// VHD, the disk format of Virtual PC, Hyper-V before 2012 and Azure (Microsoft's "Virtual Hard Disk Image Format
// Specification" of 2006): a footer of 512 bytes ends it; dynamic images begin with a copy of that.
#pragma once

#include <optional>

#include "hrvm/block/block_device.hpp"
#include "hrvm/probe/disk.hpp"

namespace hrvm::probe {

std::optional<ForeignFile> find_vhd(block::BlockDevice& file);

}  // namespace hrvm::probe
