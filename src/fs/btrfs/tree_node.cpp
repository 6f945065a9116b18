#include "fs/btrfs/tree_node.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"

namespace hrvm::fs::btrfs {

TreeNode::TreeNode(std::vector<std::byte> bytes, const NodeAddress& address) : bytes_(std::move(bytes)) {
  const auto header = base::load<NodeHeader>(bytes_);
  logical_ = header.logical;
  generation_ = header.generation;
  level_ = header.level;
  count_ = header.items;
  const auto room = bytes_.size() - sizeof(NodeHeader);
  const bool has_room = count_ <= room / (level_ ? sizeof(KeyPointer) : sizeof(LeafItem));
  if (!has_room || !fits(address) || !has_sound_items())
    throw base::Error(base::ErrorKind::corrupt,
                      fmt::format("the node of btrfs at address {:#x} is not what leads to it says", address.logical));
}

bool TreeNode::fits(const NodeAddress& address) const {
  return logical_ == address.logical && generation_ == address.generation && level_ == address.level &&
         (!address.first || (count_ != 0 && key(0) == *address.first));
}

bool TreeNode::has_sound_items() const {
  if (level_ && count_ == 0) return false;
  const auto room = bytes_.size() - sizeof(NodeHeader);
  for (std::size_t i = 0; i < count_; ++i) {
    if (i && !(key(i - 1) < key(i))) return false;
    if (level_) continue;
    const auto item = base::load<LeafItem>(bytes_, at(i));
    if (item.offset > room || item.length > room - item.offset) return false;
  }
  return true;
}

std::size_t TreeNode::at(std::size_t i) const {
  return sizeof(NodeHeader) + i * (level_ ? sizeof(KeyPointer) : sizeof(LeafItem));
}

Key TreeNode::key(std::size_t i) const { return key_of(base::load<DiskKey>(bytes_, at(i))); }

NodeAddress TreeNode::child(std::size_t i) const {
  const auto pointer = base::load<KeyPointer>(bytes_, at(i));
  return {pointer.logical, pointer.generation, level_ - 1, key_of(pointer.key)};
}

std::span<const std::byte> TreeNode::data(std::size_t i) const {
  const auto item = base::load<LeafItem>(bytes_, at(i));
  return std::span(bytes_).subspan(sizeof(NodeHeader) + item.offset, item.length);
}

std::size_t TreeNode::count_up_to(const Key& wanted) const {
  std::size_t low = 0, high = count_;
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    if (key(middle) <= wanted)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

}  // namespace hrvm::fs::btrfs
