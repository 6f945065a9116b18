// Disks that Windows spreads its volumes over: dynamic disks (the Logical Disk Manager's) and Storage Spaces. Their
// volumes are not looked into; that they are members of a set is told.
#pragma once

#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/probe/partition_table.hpp"

namespace hrvm::probe {

// "windows-dynamic-disk" and "windows-storage-space".
std::vector<base::Finding> windows_sets(block::BlockDevice& disk, const PartitionTable& table);

}  // namespace hrvm::probe
