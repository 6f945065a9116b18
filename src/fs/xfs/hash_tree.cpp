#include "fs/xfs/hash_tree.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <bit>

#include "hrvm/base/error.hpp"

namespace hrvm::fs::xfs {
namespace {

bool is_node(std::uint16_t magic) { return magic == node_magic_4 || magic == node_magic_5; }

bool is_new(std::uint16_t magic) {
  return magic == node_magic_5 || magic == leaf_magic_5 || magic == only_leaf_magic_5 ||
         magic == attribute_leaf_magic_5;
}

HashEntry entry(std::span<const std::byte> entries, std::size_t i) {
  return base::load<HashEntry>(entries, i * sizeof(HashEntry));
}

}  // namespace

bool is_folder_leaf(std::uint16_t magic) {
  return magic == leaf_magic_4 || magic == only_leaf_magic_4 || magic == leaf_magic_5 || magic == only_leaf_magic_5;
}

bool is_attribute_leaf(std::uint16_t magic) {
  return magic == attribute_leaf_magic_4 || magic == attribute_leaf_magic_5;
}

std::size_t first_at_least(std::span<const std::byte> entries, std::uint32_t hash) {
  std::size_t low = 0, high = entries.size() / sizeof(HashEntry);
  while (low < high) {
    const auto middle = (low + high) / 2;
    if (entry(entries, middle).hash < hash)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

HashTree::HashTree(Volume& volume, const Inode& inode, ExtentMap& map, HashTreeForm form)
    : volume_(volume), inode_(inode), map_(map), form_(form) {}

base::Error HashTree::corrupt() const {
  const auto extent = map_.at_or_after(at_);
  return volume_.corrupt(fmt::format("the names of inode {} lead to something "
                                     "else at block {:#x} of its {}",
                                     inode_.number(), at_, form_.root ? "data" : "attributes"),
                         extent ? extent->offset : inode_.offset());
}

std::uint16_t HashTree::read(std::uint64_t block) {
  at_ = block;
  block_.resize(std::size_t(form_.block_bytes));
  map_.read(volume_.metadata(), block << volume_.block_log(), block_);
  const std::uint16_t magic = base::load<HashHeader>(block_).magic;
  header_ = is_new(magic) ? hash_header_5 : hash_header_4;
  if (!is_node(magic) && !form_.is_leaf(magic)) throw corrupt();
  return magic;
}

std::span<const std::byte> HashTree::entries(std::size_t begin) const {
  if (count() > (block_.size() - begin) / sizeof(HashEntry)) throw corrupt();
  return std::span(block_).subspan(begin, count() * sizeof(HashEntry));
}

void HashTree::go_to(std::uint32_t hash) {
  unsigned above = deepest_hash_tree + 1;
  std::uint64_t block = form_.root;
  while (is_node(read(block))) {
    const unsigned level = base::load<HashCount>(block_, header_).level;
    const bool is_next = block == form_.root ? level < above : level + 1 == above;
    const auto children = entries(hash_entries());
    if (!is_next || level == 0 || children.empty()) throw corrupt();
    above = level;
    const auto last = children.size() / sizeof(HashEntry) - 1;
    block = entry(children, std::min(first_at_least(children, hash), last)).address;
  }
  if (block != form_.root && above != 1) throw corrupt();
  mark_ = block;
  steps_ = 0;
}

// A ring comes back to the leaf that was marked last, since marks are ever further apart.
bool HashTree::next() {
  const std::uint32_t block = base::load<HashHeader>(block_).next;
  if (block == 0) return false;
  if (block == mark_ || is_node(read(block))) throw corrupt();
  if (std::has_single_bit(++steps_)) mark_ = block;
  return true;
}

bool HashTree::goes_on(std::uint32_t hash) const {
  const auto all = folder_entries();
  return all.empty() || entry(all, all.size() / sizeof(HashEntry) - 1).hash <= hash;
}

}  // namespace hrvm::fs::xfs
