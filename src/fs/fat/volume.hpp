// The clusters of a FAT filesystem: its geometry, checked, and its chains, bounded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/block/block_device.hpp"

namespace hrvm::fs::fat {

class Volume {
 public:
  explicit Volume(block::BlockDevice& device);  // Error{corrupt} when its boot sector makes no sense

  std::uint32_t cluster_bytes() const { return cluster_bytes_; }
  // 0 where the root directory lies in a place of its own (FAT12, FAT16).
  std::uint32_t root_cluster() const { return root_cluster_; }
  std::string read_fixed_root();
  const block::BlockDevice& device() const { return device_; }

  // Bytes [offset, offset + length) of the chain that starts at `cluster`; fewer where the chain ends. Error{corrupt}
  // for a chain that leaves the filesystem or runs in a circle.
  std::string read_chain(std::uint32_t cluster, std::uint64_t offset, std::size_t length);

 private:
  enum class Width { bits12, bits16, bits32 };

  std::optional<std::uint32_t> next(std::uint32_t cluster);  // nullopt at the end of a chain
  std::uint32_t fat_entry(std::uint32_t cluster);
  std::uint32_t fat_bytes(std::uint64_t offset, unsigned count);
  void check_cluster(std::uint32_t cluster) const;

  block::BlockDevice& device_;
  Width width_ = Width::bits32;
  std::uint32_t cluster_bytes_ = 0, cluster_count_ = 0, root_cluster_ = 0;
  std::uint64_t fat_offset_ = 0, fat_length_ = 0, root_offset_ = 0, root_length_ = 0, data_offset_ = 0;
  std::vector<std::byte> window_;  // a piece of the FAT
  std::uint64_t window_offset_ = 0;
};

}  // namespace hrvm::fs::fat
