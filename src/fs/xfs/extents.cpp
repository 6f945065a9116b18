#include "fs/xfs/extents.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"

namespace hrvm::fs::xfs {
namespace {

constexpr unsigned deepest_tree = 12;

constexpr std::uint64_t first_block(std::uint64_t high) { return (high & ~(1ull << 63)) >> 9; }

std::uint64_t end_of(const ExtentRecord& record) { return first_block(record.high) + (record.low & 0x1fffff); }

}  // namespace

ExtentMap::ExtentMap(Volume& volume, const Inode& inode, Fork fork)
    : volume_(volume), inode_(inode), fork_(fork), is_tree_(inode.format(fork) == format_btree) {
  if (is_tree_) return;
  const auto bytes = inode.bytes(fork);
  const std::uint64_t count = inode.extents(fork);
  if (inode.format(fork) != format_extents) throw corrupt("has a fork of a form that cannot be");
  if (count > bytes.size() / sizeof(ExtentRecord)) throw corrupt("has more extents than can be");
  records_ = bytes.first(std::size_t(count) * sizeof(ExtentRecord));
  end_ = no_end;
}

base::Error ExtentMap::corrupt(std::string_view what) const {
  return volume_.corrupt(fmt::format("inode {} {}", inode_.number(), what), inode_.offset());
}

std::optional<Extent> ExtentMap::at_or_after(std::uint64_t block) {
  if (is_tree_ && (block < begin_ || block >= end_)) descend(block);
  if (const auto found = search(block)) return found;
  if (end_ == no_end) return std::nullopt;
  const std::uint64_t next = end_;
  descend(next);
  if (const auto found = search(next)) return found;
  throw corrupt("has a tree of extents with a leaf that leads nowhere");
}

std::optional<Extent> ExtentMap::search(std::uint64_t block) const {
  std::size_t low = 0, high = records_.size() / sizeof(ExtentRecord);
  while (low < high) {
    const auto middle = (low + high) / 2;
    if (end_of(base::load<ExtentRecord>(records_, middle * sizeof(ExtentRecord))) <= block)
      low = middle + 1;
    else
      high = middle;
  }
  if (low * sizeof(ExtentRecord) == records_.size()) return std::nullopt;
  return extent(base::load<ExtentRecord>(records_, low * sizeof(ExtentRecord)));
}

Extent ExtentMap::extent(const ExtentRecord& record) const {
  const std::uint64_t high = record.high, low = record.low;
  const std::uint64_t volume_block = (high & 0x1ff) << 43 | low >> 21, blocks = low & 0x1fffff;
  if (blocks == 0 || end_of(record) >> (63 - volume_.block_log())) throw corrupt("has an extent that no file can have");
  return {first_block(high), blocks, volume_.offset_of(volume_block, blocks), high >> 63 == 0};
}

// Leaves in records_ the leaf that maps `block`.
void ExtentMap::descend(std::uint64_t block) {
  const auto fork = inode_.bytes(fork_);
  if (fork.size() < sizeof(TreeRoot)) throw corrupt("has no room for a tree of extents");
  const auto root = base::load<TreeRoot>(fork);
  if (root.level == 0 || root.level > deepest_tree) throw corrupt("has a tree of extents that cannot be");
  begin_ = 0;
  end_ = no_end;
  std::uint64_t count = root.count;
  auto node = fork.subspan(sizeof(TreeRoot));
  for (unsigned level = root.level; level > 0; --level) {
    const std::uint64_t child = choose(node, count, block);
    node = read_tree_block(child, level - 1, count);
  }
  if (count == 0 || count > node.size() / sizeof(ExtentRecord)) throw corrupt("has a leaf of extents that cannot be");
  records_ = node.first(std::size_t(count) * sizeof(ExtentRecord));
}

// A node has keys, then as many numbers of blocks as there is room for.
std::uint64_t ExtentMap::choose(std::span<const std::byte> node, std::uint64_t count, std::uint64_t block) {
  const std::size_t room = node.size() / 16;
  if (count == 0 || count > room) throw corrupt("has a node of extents that cannot be");
  const auto key = [&](std::size_t i) { return std::uint64_t(base::load<base::be64>(node, i * 8)); };
  std::size_t low = 0,
              high = std::size_t(count);  // the last key that is not greater, or the first one
  while (high - low > 1) {
    const auto middle = (low + high) / 2;
    (key(middle) <= block ? low : high) = middle;
  }
  if (low + 1 < count && key(low + 1) > block) end_ = std::min(end_, key(low + 1));
  if (key(low) <= block) begin_ = std::max(begin_, key(low));
  return base::load<base::be64>(node, room * 8 + low * 8);
}

std::span<const std::byte> ExtentMap::read_tree_block(std::uint64_t block, unsigned level, std::uint64_t& count) {
  const auto offset = volume_.offset_of(block);
  block_.resize(std::size_t(volume_.block_bytes()));
  volume_.metadata().read(offset, block_);
  const auto header = base::load<TreeBlock>(block_);
  if (header.magic != (volume_.is_version_5() ? tree_magic_5 : tree_magic_4) || header.level != level)
    throw volume_.corrupt(fmt::format("the tree of inode {} leads to something else", inode_.number()), offset);
  count = header.count;
  return std::span<const std::byte>(block_).subspan(volume_.is_version_5() ? tree_header_5 : sizeof(TreeBlock));
}

void ExtentMap::read(block::BlockDevice& device, std::uint64_t offset, std::span<std::byte> out) {
  const auto log = volume_.block_log();
  while (!out.empty()) {
    const auto extent = at_or_after(offset >> log);
    const std::uint64_t begin = extent ? extent->file_block << log : no_end;
    const bool is_stored = begin <= offset;
    const std::uint64_t end = is_stored ? extent->end() << log : begin;
    const auto piece = out.first(std::size_t(std::min<std::uint64_t>(out.size(), end - offset)));
    if (is_stored && extent->written)
      device.read(extent->offset + (offset - begin), piece);
    else
      std::ranges::fill(piece, std::byte{});
    offset += piece.size();
    out = out.subspan(piece.size());
  }
}

}  // namespace hrvm::fs::xfs
