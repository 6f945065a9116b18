// Which clusters of a chunk that was read have to be stored: those that are not all zeros.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hrvm/block/chunks.hpp"
#include "image/qcow2/geometry.hpp"

namespace hrvm::image {

struct FilledCluster {
  std::uint64_t at = 0;     // in the buffer of its chunk
  std::uint32_t units = 0;  // bit n: unit n is not all zeros
};

// Reads the chunk into `buffer` and looks through it.
std::vector<FilledCluster> read_filled_clusters(block::SharedSource& source, const block::Chunk& chunk,
                                                const ClusterGeometry& geometry, std::span<std::byte> buffer);

}  // namespace hrvm::image
