// The merge itself, once both images are open and found fit: the part that tests cut the power to.
#pragma once

#include <optional>

#include "hrvm/block/block_device.hpp"
#include "hrvm/sys/terminal.hpp"
#include "image/merge/parent_view.hpp"
#include "image/qcow2/header.hpp"
#include "image/qcow2/writable_file.hpp"

namespace hrvm::image {

// `child` and `out` are the same file, `header` is the child's. Afterwards `backing` is what the child names.
void merge_images(ParentView& parent, block::BlockDevice& child, const ImageHeader& header, WritableFile& out,
                  const std::optional<BackingReference>& backing, const sys::ProgressCallback& progress);

}  // namespace hrvm::image
