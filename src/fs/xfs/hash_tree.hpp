// The tree by the hash of names that a folder or the attributes of a file have: nodes, and leaves in a row. Where there
// is one leaf only, it is the root.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fs/xfs/directory_format.hpp"
#include "fs/xfs/extents.hpp"

namespace hrvm::fs::xfs {

bool is_folder_leaf(std::uint16_t magic);
bool is_attribute_leaf(std::uint16_t magic);

struct HashTreeForm {
  std::uint64_t root = 0;         // a block of the fork
  std::uint64_t block_bytes = 0;  // of a node or a leaf
  bool (*is_leaf)(std::uint16_t magic) = nullptr;
};

// The first of some sorted hash entries whose hash is not less; their number where there is none.
std::size_t first_at_least(std::span<const std::byte> entries, std::uint32_t hash);

class HashTree {
 public:
  // All must outlive it.
  HashTree(Volume& volume, const Inode& inode, ExtentMap& map, HashTreeForm form);

  // To the first leaf that can have this hash. Error{corrupt} where the way leads to something else.
  void go_to(std::uint32_t hash);
  // To the leaf behind it; false at the last one. Error{corrupt} for leaves in a ring.
  bool next();

  // The whole leaf at hand.
  std::span<const std::byte> block() const { return block_; }
  bool is_version_5() const { return header_ == hash_header_5; }
  unsigned count() const { return base::load<HashCount>(block_, header_).count; }
  // Of a leaf of a folder.
  std::span<const std::byte> folder_entries() const { return entries(hash_entries()); }
  // Whether the leaf behind it can have this hash too.
  bool goes_on(std::uint32_t hash) const;
  base::Error corrupt() const;

 private:
  std::size_t hash_entries() const { return is_version_5() ? hash_entries_5 : hash_entries_4; }
  std::span<const std::byte> entries(std::size_t begin) const;
  std::uint16_t read(std::uint64_t block);

  Volume& volume_;
  const Inode& inode_;
  ExtentMap& map_;
  HashTreeForm form_;
  std::uint64_t at_ = 0;
  std::uint64_t mark_ = 0,
                steps_ = 0;  // a leaf that was met before, and how many since the first
  std::size_t header_ = hash_header_4;
  std::vector<std::byte> block_;
};

}  // namespace hrvm::fs::xfs
