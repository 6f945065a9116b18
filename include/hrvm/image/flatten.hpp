// Writing a standalone image of what a BlockDevice shows.
#pragma once

#include <filesystem>

#include "hrvm/block/block_device.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/image/layout.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::image {

struct FlatForm {
  ImageFormat format = ImageFormat::qcow2;
  // Of qcow2 alone:
  Geometry geometry = Geometry::classic();
  std::optional<Compression> compression = std::nullopt;  // of every cluster that becomes smaller by it
};

// Writes `source` into the new, empty file behind `fd` as raw (holes kept) or as qcow2 without backing (zeros not
// allocated). Several threads read, compress and write; what the filesystem can share is not copied (reflink). Memory:
// a few buffers of 2 MiB, and what flat_layout.hpp says. Does not sync. `progress` gets bytes of the virtual size.
void flatten(block::BlockDevice& source, int fd, const std::string& path, const FlatForm& form,
             const sys::ProgressCallback& progress);

}  // namespace hrvm::image
