// The nodes that were used last, by their addresses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>
#include <utility>

#include "fs/btrfs/tree_node.hpp"

namespace hrvm::fs::btrfs {

class NodeCache {
 public:
  explicit NodeCache(std::size_t most_nodes) : most_(most_nodes) {}

  // nullptr where it is not here, or is not what leads to it says.
  std::shared_ptr<const TreeNode> find(const NodeAddress& address) {
    const auto known = by_address_.find(address.logical);
    if (known == by_address_.end() || !known->second->second->fits(address)) return nullptr;
    used_.splice(used_.begin(), used_, known->second);
    return used_.front().second;
  }

  void add(std::uint64_t logical, std::shared_ptr<const TreeNode> node) {
    remove(logical);
    if (used_.size() >= most_) remove(used_.back().first);
    used_.emplace_front(logical, std::move(node));
    by_address_.emplace(logical, used_.begin());
  }

 private:
  using Used = std::list<std::pair<std::uint64_t, std::shared_ptr<const TreeNode>>>;

  void remove(std::uint64_t logical) {
    const auto known = by_address_.find(logical);
    if (known == by_address_.end()) return;
    used_.erase(known->second);
    by_address_.erase(known);
  }

  std::size_t most_;
  Used used_;  // the last one in front
  std::unordered_map<std::uint64_t, Used::iterator> by_address_;
};

}  // namespace hrvm::fs::btrfs
