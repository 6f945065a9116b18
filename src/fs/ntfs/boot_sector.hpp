// The boot sector of NTFS, looked at before libntfs-3g is: it takes memory for records of any size that stands there.
#pragma once

#include "hrvm/block/block_device.hpp"

namespace hrvm::fs::ntfs {

// Error{corrupt} when sectors, clusters or records have sizes that Windows does not make: sectors from 256 to 4096
// bytes, clusters to 2 MiB, records from 512 bytes to 64 KiB.
void check_boot_sector(block::BlockDevice& device);

}  // namespace hrvm::fs::ntfs
