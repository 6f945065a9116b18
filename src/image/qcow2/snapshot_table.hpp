// The table of an image's internal snapshots: QEMU's qcow2.txt, "Snapshots". Only listed: hrvm keeps its own as layers.
#pragma once

#include <vector>

#include "hrvm/block/block_device.hpp"
#include "hrvm/image/disk_image.hpp"
#include "image/qcow2/header.hpp"

namespace hrvm::image {

// Error{corrupt} when the table or a part of it does not lie in the file. The table is read in pieces: memory is taken
// for what is there, at most 64 MiB (QEMU's own limit).
std::vector<InternalSnapshot> read_snapshots(block::BlockDevice& file, const ImageHeader& header);

}  // namespace hrvm::image
