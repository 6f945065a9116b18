// The clusters of a FAT filesystem: its geometry, checked, and its chains, bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "hrvm/block/block_device.hpp"

namespace hrvm::fs::fat {

// Notices that a chain runs in a circle after about three turns, without remembering it (Brent's algorithm).
class CircleGuard {
 public:
  bool closes_at(std::uint32_t cluster);

 private:
  std::uint32_t mark_ = 0;  // no chain holds cluster 0
  std::uint64_t steps_ = 0, stride_ = 1;
};

// Bytes that lie in one piece on the device.
struct Piece {
  std::uint64_t device_offset = 0, length = 0;
};

class Volume {
 public:
  explicit Volume(block::BlockDevice& device);  // Error{corrupt} when its boot sector makes no sense

  std::uint32_t cluster_bytes() const { return cluster_bytes_; }
  // 0 where the root directory lies in a place of its own (FAT12, FAT16), which fixed_root() gives.
  std::uint32_t root_cluster() const { return root_cluster_; }
  const Piece& fixed_root() const { return root_; }
  block::BlockDevice& device() const { return device_; }
  // Whether entries of a directory can lie there.
  bool can_hold_entries(std::uint64_t device_offset, std::size_t length) const;

  // What lies from `offset` on in the chain that starts at cluster `first`, at most `limit` (> 0) bytes; nullopt where
  // the chain has ended before. Error{corrupt} for a chain that leaves the filesystem or runs in a circle. Who goes on
  // in the chain in which he was last starts from there.
  std::optional<Piece> piece_at(std::uint32_t first, std::uint64_t offset, std::uint64_t limit);

 private:
  enum class Width { bits12, bits16, bits32 };
  struct ChainPlace {
    std::uint32_t first = 0;    // of the chain; 0: there is no such place
    std::uint32_t cluster = 0;  // the one that is reached
    std::uint64_t index = 0;    // of it in the chain
    CircleGuard guard;
  };

  ChainPlace start_of(std::uint32_t first) const;
  bool advance(ChainPlace& place);  // false at the end of the chain
  std::uint64_t offset_of(std::uint32_t cluster) const;
  std::optional<std::uint32_t> next(std::uint32_t cluster);  // nullopt at the end of a chain
  std::uint32_t fat_entry(std::uint32_t cluster);
  std::uint32_t fat_bytes(std::uint64_t offset, unsigned count);
  void check_cluster(std::uint32_t cluster) const;

  block::BlockDevice& device_;
  Width width_ = Width::bits32;
  std::uint32_t cluster_bytes_ = 0, cluster_count_ = 0, root_cluster_ = 0;
  std::uint64_t fat_offset_ = 0, fat_length_ = 0, data_offset_ = 0;
  Piece root_;
  ChainPlace last_;
  std::vector<std::byte> window_;  // a piece of the FAT
  std::uint64_t window_offset_ = 0;
};

}  // namespace hrvm::fs::fat
