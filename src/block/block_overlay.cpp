#include "hrvm/block/block_overlay.hpp"

#include <algorithm>

#include "block/range.hpp"

namespace hrvm::block {
namespace {

// The last of those of one block, by block.
std::vector<MovedBlock> in_order(std::vector<MovedBlock> moved) {
  std::ranges::reverse(moved);
  std::ranges::stable_sort(moved, {}, &MovedBlock::block);
  const auto same = [](const MovedBlock& a, const MovedBlock& b) { return a.block == b.block; };
  moved.erase(std::unique(moved.begin(), moved.end(), same), moved.end());
  moved.shrink_to_fit();
  return moved;
}

}  // namespace

BlockOverlay::BlockOverlay(BlockDevice& parent, std::uint32_t block_bytes, NewerBlocks newer)
    : parent_(parent), block_bytes_(block_bytes), heads_(std::move(newer.heads)) {
  // A head alone: the rest of its block is as it was.
  std::vector<MovedBlock> all;
  for (const auto& [block, head] : heads_) all.push_back({block, block});
  all.insert(all.end(), newer.moved.begin(), newer.moved.end());
  std::erase_if(all, [&](const MovedBlock& each) { return !is_in(each.block) || !is_in(each.source); });
  moved_ = in_order(std::move(all));
}

BlockOverlay::Run BlockOverlay::run_at(std::uint64_t offset) const {
  const std::uint64_t block = offset / block_bytes_;
  const auto next = std::ranges::lower_bound(moved_, block, {}, &MovedBlock::block);
  if (next == moved_.end()) return {size() - offset, offset};
  if (next->block > block) return {next->block * block_bytes_ - offset, offset};
  return moved_run(std::size_t(next - moved_.begin()), offset);
}

// Goes on over neighbours whose sources are neighbours too. A block with a head is a run for itself.
BlockOverlay::Run BlockOverlay::moved_run(std::size_t index, std::uint64_t offset) const {
  const MovedBlock first = moved_[index];
  const std::uint64_t skipped = offset % block_bytes_, source = first.source * block_bytes_ + skipped;
  if (const auto head = heads_.find(first.block); head != heads_.end())
    return {block_bytes_ - skipped, source, &head->second};
  std::uint64_t blocks = 1;
  while (index + blocks < moved_.size() &&
         moved_[index + blocks] == MovedBlock{first.block + blocks, first.source + blocks} &&
         !heads_.contains(first.block + blocks))
    ++blocks;
  return {blocks * block_bytes_ - skipped, source};
}

BlockOverlay::Place BlockOverlay::place_of(std::uint64_t offset, std::uint64_t limit) const {
  check_range(*this, offset, 1);
  const Run run = run_at(offset);
  return {std::min(run.length, limit), run.source, run.head == nullptr};
}

std::vector<ByteRange> BlockOverlay::newer() const {
  std::vector<ByteRange> ranges;
  for (const MovedBlock& each : moved_) ranges.push_back({each.block * block_bytes_, block_bytes_});
  return ranges;
}

void BlockOverlay::read(std::uint64_t offset, std::span<std::byte> out) {
  check_range(*this, offset, out.size());
  while (!out.empty()) {
    const Run run = run_at(offset);
    const auto piece = out.first(std::size_t(std::min<std::uint64_t>(run.length, out.size())));
    parent_.read(run.source, piece);
    const auto skipped = std::size_t(offset % block_bytes_);
    if (run.head && skipped < run.head->size()) {
      const auto newer = std::span(*run.head).subspan(skipped);
      std::ranges::copy(newer.first(std::min(newer.size(), piece.size())), piece.begin());
    }
    offset += piece.size();
    out = out.subspan(piece.size());
  }
}

Extent BlockOverlay::extent_at(std::uint64_t offset) {
  check_range(*this, offset, 1);
  const Run run = run_at(offset);
  if (run.head) return {offset, run.length, ExtentKind::data};
  const Extent below = parent_.extent_at(run.source);
  return {offset, std::min(below.length, run.length), below.kind};
}

StoredExtent BlockOverlay::stored_at(std::uint64_t offset, std::uint64_t limit) {
  check_range(*this, offset, 1);
  const Run run = run_at(offset);
  const std::uint64_t length = std::min(limit, run.length);
  if (run.head) return {{offset, length, ExtentKind::data}, std::nullopt};
  StoredExtent below = parent_.stored_at(run.source, length);
  below.extent.offset = offset;
  return below;
}

}  // namespace hrvm::block
