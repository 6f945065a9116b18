// The names in an XFS folder, as they lie in its inode or in a block of its data.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "fs/xfs/directory_format.hpp"
#include "fs/xfs/extents.hpp"
#include "fs/xfs/inode.hpp"
#include "fs/xfs/volume.hpp"

namespace hrvm::fs::xfs {

struct Name {
  std::string_view text;  // valid as long as that which gave it, and until it
                          // reads another block
  std::uint64_t inode = 0;
  std::uint8_t type = 0;  // 1 regular, 2 folder, and so on; 0: only the inode tells
};

// Names that lie in the inode, without "." and "..".
class ShortNames {
 public:
  // `folder` must outlive it. Error{corrupt} from next() where a name leaves the inode.
  ShortNames(const Volume& volume, const Inode& folder);
  std::optional<Name> next();

 private:
  std::span<const std::byte> take(std::size_t count);
  std::uint64_t take_inode();

  const Volume& volume_;
  const Inode& folder_;
  std::span<const std::byte> rest_;
  unsigned left_ = 0;
  bool is_wide_ = false;
};

// A block of a folder's data: names and free room by turns. In a folder of one block leaf entries follow.
class NameBlock {
 public:
  // All must outlive it.
  NameBlock(Volume& volume, const Inode& folder, ExtentMap& map) : volume_(volume), folder_(folder), map_(map) {}

  // The block that holds this offset of the folder's file. Error{corrupt} where it is none.
  void read(std::uint64_t offset);
  // The next one in the order of the block, "." and ".." among them.
  std::optional<Name> next();
  // The one that stands at this offset of the folder's file, which the block at hand need not hold.
  Name at(std::uint64_t offset);
  // Of a folder of one block.
  std::span<const std::byte> leaf_entries() const { return leaf_entries_; }

 private:
  Name name_at(std::size_t place, std::size_t& end) const;
  base::Error corrupt(std::size_t place) const;
  void find_leaf_entries();

  Volume& volume_;
  const Inode& folder_;
  ExtentMap& map_;
  std::vector<std::byte> block_;
  std::uint64_t offset_ = 0;  // of the block in the folder's file
  std::size_t place_ = 0, end_ = 0;
  std::span<const std::byte> leaf_entries_;
};

inline bool is_self_or_parent(std::string_view name) { return name == "." || name == ".."; }

}  // namespace hrvm::fs::xfs
