#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "fs/ext/blocks.hpp"

namespace hrvm::fs::ext {
namespace {

// One node of the tree. Its entries begin with a block of the file each, and are in their order.
class Node {
 public:
  Node(const Volume& volume, std::span<const std::byte> bytes, std::optional<unsigned> depth)
      : bytes_(bytes), header_(base::load<ExtentHeader>(bytes)) {
    const bool fits = header_.entries <= (bytes.size() - sizeof(ExtentHeader)) / sizeof(ExtentIndex);
    if (header_.magic != extent_magic || !fits || header_.depth > deepest_extents || (depth && header_.depth != *depth))
      throw volume.corrupt("it has a tree of extents that cannot be");
  }

  unsigned depth() const { return header_.depth; }
  std::size_t count() const { return header_.entries; }
  template <typename Entry>
  Entry at(std::size_t i) const {
    return base::load<Entry>(bytes_, sizeof(ExtentHeader) + i * sizeof(Entry));
  }
  std::uint64_t first_block(std::size_t i) const { return at<ExtentIndex>(i).first_block; }

  // How many entries begin at `block` or before it.
  std::size_t count_up_to(std::uint64_t block) const {
    std::size_t low = 0, high = count();
    while (low < high) {
      const auto middle = low + (high - low) / 2;
      if (first_block(middle) <= block)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  }

 private:
  std::span<const std::byte> bytes_;
  ExtentHeader header_;
};

Run run_of(const Volume& volume, const ExtentLeaf& extent, std::uint64_t block, std::uint64_t end) {
  const std::uint32_t stored = extent.length;
  const bool is_written = stored <= most_written;
  const std::uint64_t length = is_written ? stored : stored - most_written;
  const std::uint64_t within = block - extent.first_block;
  if (within >= length) return {end - block, 0};
  const auto blocks = std::min(length - within, end - block);
  if (!is_written) return {blocks, 0};
  const std::uint64_t start = (std::uint64_t(extent.start_hi) << 32 | extent.start_lo) + within;
  if (start == 0 || start >= volume.blocks() || blocks > volume.blocks() - start)
    throw volume.corrupt(fmt::format("it has an extent at block {}, which the filesystem has not", start));
  return {blocks, start};
}

void visit_below(Volume& volume, const Node& node, const std::function<void(std::uint64_t)>& visitor) {
  if (node.depth() == 0) return;
  for (std::size_t i = 0; i < node.count(); ++i) {
    const auto index = node.at<ExtentIndex>(i);
    const auto block = std::uint64_t(index.node_hi) << 32 | index.node_lo;
    visitor(block);
    const auto below = volume.read_block(block);
    visit_below(volume, Node(volume, below, node.depth() - 1), visitor);
  }
}

}  // namespace

void visit_extent_tree(Volume& volume, std::span<const std::byte, 60> root,
                       const std::function<void(std::uint64_t)>& visitor) {
  visit_below(volume, Node(volume, root, std::nullopt), visitor);
}

Run run_in_extents(Volume& volume, std::span<const std::byte, 60> root, std::uint64_t block) {
  if (block >= file_blocks_end) return {file_blocks_end, 0};
  std::vector<std::byte> below;
  std::uint64_t end = file_blocks_end;  // where the next extent may begin
  for (Node node(volume, root, std::nullopt);; node = Node(volume, below, node.depth() - 1)) {
    const auto count = node.count_up_to(block);
    if (count < node.count()) end = std::min(end, node.first_block(count));
    if (count == 0) return {end - block, 0};
    if (node.depth() == 0) return run_of(volume, node.at<ExtentLeaf>(count - 1), block, end);
    const auto index = node.at<ExtentIndex>(count - 1);
    below = volume.read_block(std::uint64_t(index.node_hi) << 32 | index.node_lo);
  }
}

}  // namespace hrvm::fs::ext
