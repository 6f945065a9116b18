#include "fs/ext/changes.hpp"

#include <limits>

namespace hrvm::fs::ext {

// Afterwards none begins before `block` and ends behind it.
void Pieces::cut_at(std::uint64_t block) {
  auto next = pieces_.lower_bound(block);
  if (next == pieces_.begin()) return;
  auto& [first, piece] = *std::prev(next);
  if (piece.end <= block) return;
  pieces_.emplace_hint(next, block,
                       Piece{piece.end, piece.volume_block == 0 ? 0 : piece.volume_block + (block - first)});
  piece.end = block;
}

void Pieces::put(std::uint64_t first, std::uint64_t blocks, std::uint64_t volume_block) {
  const std::uint64_t end = first + blocks;
  cut_at(first);
  cut_at(end);
  pieces_.erase(pieces_.lower_bound(first), pieces_.lower_bound(end));
  pieces_[first] = {end, volume_block};
}

Pieces::Found Pieces::look(std::uint64_t block) const {
  const auto next = pieces_.upper_bound(block);
  if (next != pieces_.begin()) {
    const auto& [first, piece] = *std::prev(next);
    if (block < piece.end)
      return {piece.end - block, piece.volume_block == 0 ? 0 : piece.volume_block + (block - first)};
  }
  const std::uint64_t end = next == pieces_.end() ? std::numeric_limits<std::uint64_t>::max() : next->first;
  return {end - block, std::nullopt};
}

}  // namespace hrvm::fs::ext
