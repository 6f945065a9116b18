// CompressedClusters: reads the compressed clusters of an image file, each bounded by what its entry says it takes, by
// the end of the file and by the size of a cluster. The last one is kept, as those who read in order take it in pieces.
// Memory: once it is used, three clusters and a decompressor.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "hrvm/block/block_device.hpp"
#include "image/qcow2/header.hpp"
#include "image/qcow2/inflate.hpp"
#include "image/qcow2/l2_table.hpp"

namespace hrvm::image {

class CompressedClusters {
 public:
  // `file` must outlive this.
  CompressedClusters(block::BlockDevice& file, const ImageHeader& header);

  // Fills `out` with the bytes of that cluster from `in_cluster` on. Error{corrupt} when it is damaged.
  void read(const CompressedPlace& place, std::uint64_t in_cluster, std::span<std::byte> out);

 private:
  void inflate(const CompressedPlace& place, std::span<std::byte> cluster);

  block::BlockDevice& file_;
  std::uint64_t cluster_bytes_;
  Inflater inflater_;
  std::vector<std::byte> packed_, cluster_;
  std::optional<CompressedPlace> in_memory_;  // what `cluster_` holds
};

}  // namespace hrvm::image
