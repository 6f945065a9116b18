// The repair itself, once the image is locked: the part that tests cut the power to.
#pragma once

#include <functional>
#include <memory>

#include "hrvm/block/block_device.hpp"
#include "hrvm/image/check.hpp"
#include "writable_file.hpp"

namespace hrvm::image {

// Opens the file that `out` writes to, as long as it is now.
using ImageOpener = std::function<std::unique_ptr<block::BlockDevice>()>;

RepairResult repair_file(const ImageOpener& open, WritableFile& out, Repair repair);

}  // namespace hrvm::image
