// A tree of btrfs: items in the order of their keys.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "fs/btrfs/format.hpp"
#include "fs/btrfs/tree_node.hpp"

namespace hrvm::fs::btrfs {

class Volume;

// A place in a tree. The volume must outlive it; what data() gives lives until it moves.
class Cursor {
 public:
  explicit Cursor(Volume& volume) : volume_(&volume) {}

  bool valid() const { return !path_.empty(); }
  Key key() const { return path_.back().node->key(path_.back().slot); }
  std::span<const std::byte> data() const { return path_.back().node->data(path_.back().slot); }
  std::uint64_t leaf() const { return path_.back().node->logical(); }  // its address
  bool is_at(const Key& wanted) const { return valid() && key() == wanted; }
  // Among the items of one object and type.
  bool is_among(std::uint64_t object, std::uint8_t type) const {
    return valid() && key().object == object && key().type == type;
  }
  // Error{corrupt} where keys do not ascend: so a tree that leads back into itself has an end.
  void next();

 private:
  friend class Tree;
  struct Step {
    std::shared_ptr<const TreeNode> node;
    std::size_t slot = 0;
  };
  void descend(const NodeAddress& address);  // to the first item

  Volume* volume_;
  std::vector<Step> path_;  // from the root on; empty where there is no item
};

class Tree {
 public:
  Tree(Volume& volume, const NodeAddress& root) : volume_(&volume), root_(root) {}

  Cursor at_or_before(const Key& key) const;  // the last item whose key is not behind `key`
  Cursor from(const Key& key) const;          // the first item whose key is not before `key`
  Cursor find(const Key& key) const;          // that item alone
  Volume& volume() const { return *volume_; }

 private:
  Volume* volume_;
  NodeAddress root_;
};

}  // namespace hrvm::fs::btrfs
