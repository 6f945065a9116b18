#include "fs/jbd2/blocks.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::jbd2 {
namespace {

constexpr std::uint64_t window_bytes = 128 * base::KiB;

}  // namespace

JournalBlocks::JournalBlocks(block::BlockDevice& device, const JournalPlace& place)
    : device_(device), block_bytes_(place.block_bytes) {
  const std::uint64_t device_blocks = device.size() / block_bytes_;
  for (const JournalExtent& extent : place.extents) {
    // What was cut off is missed when it is read.
    if (extent.first >= device_blocks) break;
    if (extent.blocks > most_journal_blocks - count_)
      throw base::Error(base::ErrorKind::unsupported, "the journal is too large").on(device.name());
    if (extent.blocks == 0) continue;
    pieces_.push_back({count_, extent});
    count_ += extent.blocks;
  }
}

JournalExtent JournalBlocks::find(std::uint64_t block) const {
  if (block >= count_)
    throw base::Error(base::ErrorKind::corrupt, fmt::format("the journal has no block {}", block)).on(device_.name());
  const auto next = std::ranges::upper_bound(pieces_, block, {}, &Piece::block);
  const Piece& piece = *std::prev(next);
  const std::uint64_t skipped = block - piece.block;
  return {piece.extent.first + skipped, piece.extent.blocks - skipped};
}

std::span<const std::byte> JournalBlocks::read(std::uint64_t block) {
  if (block < window_start_ || block - window_start_ >= window_.size() / block_bytes_) {
    const JournalExtent found = find(block);
    const std::uint64_t offset = found.first * block_bytes_, wanted = found.blocks * block_bytes_;
    const std::uint64_t left = device_.size() - std::min(device_.size(), offset);
    // A block that is cut off fails to be read.
    const std::uint64_t length = std::max<std::uint64_t>(std::min({window_bytes, wanted, left}), block_bytes_);
    window_ = device_.read(offset, std::size_t(length));
    window_start_ = block;
  }
  return std::span(window_).subspan(std::size_t((block - window_start_) * block_bytes_), block_bytes_);
}

}  // namespace hrvm::fs::jbd2
