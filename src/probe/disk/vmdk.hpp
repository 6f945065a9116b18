// VMDK, VMware's disk format ("Virtual Disk Format 5.0"): a text, the descriptor, names the extents that hold the data.
// It may be the only file, lie inside of a sparse extent, or stand beside the extents.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/endian.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/probe/disk.hpp"

namespace hrvm::probe {

std::optional<ForeignFile> find_vmdk(block::BlockDevice& file);
// One of several raw extents, "x-f001.vmdk", which only the descriptor beside it tells from a whole disk.
std::optional<ForeignFile> find_raw_extent(block::BlockDevice& file);

// The path of the raw disk beside it that a descriptor describes, where all of that is the disk; empty for all others,
// and for a file that is larger than such a text.
std::string described_disk(block::BlockDevice& file);

// "x.vmdk" of "x-flat.vmdk", which is a raw disk; empty for other names.
std::string descriptor_of_flat(std::string_view path);

}  // namespace hrvm::probe
