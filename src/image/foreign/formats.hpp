// One reader for each format. They take a whole file and give the disk in it; of the file they keep what lookups need.
// Error{corrupt} for structures that contradict the format, Error{unsupported} for what is sound and not read here:
// differencing images, a log that was not written back, and all that QEMU would show otherwise than it is.
#pragma once

#include <memory>

#include "hrvm/block/block_device.hpp"
#include "hrvm/image/disk_image.hpp"

namespace hrvm::image::foreign {

// By the magics of these formats; raw for all others.
ImageFormat detect_format(block::BlockDevice& file);

std::unique_ptr<block::BlockDevice> open_vdi(std::unique_ptr<block::BlockDevice> file);
std::unique_ptr<block::BlockDevice> open_vhd(std::unique_ptr<block::BlockDevice> file);
std::unique_ptr<block::BlockDevice> open_vhdx(std::unique_ptr<block::BlockDevice> file);
std::unique_ptr<block::BlockDevice> open_vmdk(std::unique_ptr<block::BlockDevice> file);

}  // namespace hrvm::image::foreign
