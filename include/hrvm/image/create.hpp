// Writes new, empty qcow2 images: the layers of a machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hrvm/image/layout.hpp"

namespace hrvm::image {

struct NewImage {
  std::uint64_t virtual_bytes = 0;  // a multiple of 512
  Geometry geometry;
  std::optional<BackingReference> backing;
};

// Writes header, refcounts and an empty L1 table into the empty file behind `fd` (version 3; check clean). Does not
// sync. `path` is for messages. Error{usage} for geometry qcow2 does not know, Error{unsupported} for sizes beyond its
// L1 limit.
void create_qcow2(int fd, const std::string& path, const NewImage& image);

}  // namespace hrvm::image
