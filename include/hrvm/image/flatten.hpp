// Writing a standalone image of what a BlockDevice shows.
#pragma once

#include <filesystem>

#include "hrvm/block/block_device.hpp"
#include "hrvm/image/create.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::image {

// Writes `source` into the new, empty file behind `fd` as raw (holes kept) or as qcow2 without backing (zeros not
// allocated; `geometry` as asked). Does not sync. `progress` gets bytes of the virtual size.
void flatten(block::BlockDevice& source, int fd, const std::string& path, ImageFormat format, const Geometry& geometry,
             const sys::ProgressCallback& progress);

}  // namespace hrvm::image
