// Where the blocks of a fork lie. Looked up one way down its tree at a time, so that a file of millions of extents
// takes no more memory than one of a few.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "fs/xfs/inode.hpp"
#include "fs/xfs/volume.hpp"

namespace hrvm::fs::xfs {

struct Extent {
  std::uint64_t file_block = 0, blocks = 0;
  std::uint64_t offset = 0;  // on the device, bytes
  bool written = true;       // else zeros
  std::uint64_t end() const { return file_block + blocks; }
};

class ExtentMap {
 public:
  // Both must outlive it. Error{corrupt} for a fork that has no extents or more than there is room for.
  ExtentMap(Volume& volume, const Inode& inode, Fork fork = Fork::data);

  // The extent that holds this block of the file, or else the first one behind it; nullopt where there is none.
  std::optional<Extent> at_or_after(std::uint64_t block);
  // Fills `out` from `offset` of the fork on, from this device; zeros where nothing is stored.
  void read(block::BlockDevice& device, std::uint64_t offset, std::span<std::byte> out);

 private:
  static constexpr std::uint64_t no_end = std::numeric_limits<std::uint64_t>::max();

  void descend(std::uint64_t block);
  std::uint64_t choose(std::span<const std::byte> node, std::uint64_t count, std::uint64_t block);
  std::span<const std::byte> read_tree_block(std::uint64_t block, unsigned level, std::uint64_t& count);
  std::optional<Extent> search(std::uint64_t block) const;
  Extent extent(const ExtentRecord& record) const;
  base::Error corrupt(std::string_view what) const;

  Volume& volume_;
  const Inode& inode_;
  Fork fork_;
  bool is_tree_;
  std::vector<std::byte> block_;        // of the tree
  std::span<const std::byte> records_;  // the leaf at hand, or those in the inode
  std::uint64_t begin_ = 0,
                end_ = 0;  // the blocks of the file that they map
};

}  // namespace hrvm::fs::xfs
