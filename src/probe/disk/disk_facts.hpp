// A block device of sysfs as a Disk: its size, sectors, bus and names.
#pragma once

#include "hrvm/probe/disk.hpp"
#include "probe/disk/block_nodes.hpp"

namespace hrvm::probe {

// Without in_use. `node` is a whole disk.
Disk disk_facts(const sys::Host& host, const BlockNodes& nodes, const BlockNode& node);

// False for what no system would be installed on: loop, zram, ram, optical, md, device-mapper other than multipath, the
// paths of a multipath device, boot areas of an MMC.
bool is_ordinary_disk(const BlockNodes& nodes, const BlockNode& node);

}  // namespace hrvm::probe
