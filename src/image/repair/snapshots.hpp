// Putting the table of an image's internal snapshots right.
#pragma once

#include "hrvm/block/block_device.hpp"
#include "image/qcow2/header.hpp"
#include "image/qcow2/writable_file.hpp"

namespace hrvm::image {

// Writes the table anew into clusters that are counted and durable before the header names them, each snapshot with the
// extra data that its version wants: what is missing is filled in as QEMU does (the disk had the size that it has now),
// and what is more than QEMU reads (1024 bytes) is cut off. The refcounts must be right. What the old table lay in
// stays counted. Does nothing where the table does not lie in the file as a whole.
void rewrite_snapshots(block::BlockDevice& file, const ImageHeader& header, WritableFile& out);

}  // namespace hrvm::image
