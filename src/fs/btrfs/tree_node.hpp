// A node of one of btrfs's trees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "fs/btrfs/format.hpp"

namespace hrvm::fs::btrfs {

// What leads to a node says how it must look.
struct NodeAddress {
  std::uint64_t logical = 0, generation = 0;
  unsigned level = 0;
  std::optional<Key> first;  // its first key; none for a root, which may be empty
};

class TreeNode {
 public:
  // Error{corrupt} where it is not what the address says, its keys do not ascend, or an item leaves it. Whether it is
  // intact has been checked.
  TreeNode(std::vector<std::byte> bytes, const NodeAddress& address);

  std::uint64_t logical() const { return logical_; }
  unsigned level() const { return level_; }
  std::size_t count() const { return count_; }
  Key key(std::size_t i) const;
  NodeAddress child(std::size_t i) const;                // where level > 0
  std::span<const std::byte> data(std::size_t i) const;  // of an item, where level is 0
  bool fits(const NodeAddress& address) const;
  // How many keys are at most this one.
  std::size_t count_up_to(const Key& key) const;

 private:
  std::size_t at(std::size_t i) const;
  bool has_sound_items() const;

  std::vector<std::byte> bytes_;
  std::uint64_t logical_ = 0, generation_ = 0;
  unsigned level_ = 0;
  std::size_t count_ = 0;
};

}  // namespace hrvm::fs::btrfs
