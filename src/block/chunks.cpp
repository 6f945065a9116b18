#include "hrvm/block/chunks.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/output_file.hpp"

namespace hrvm::block {

namespace {

// Looks ahead no further, so that an interruption is noticed.
constexpr std::uint64_t longest_piece = base::GiB;
// To drop less at once costs more than it saves: the kernel may have to ask the other processors.
constexpr std::uint64_t least_dropped = base::MiB;

std::uint64_t end_of(const Extent& extent) { return extent.offset + extent.length; }

StoredExtent part(const StoredExtent& whole, std::uint64_t begin, std::uint64_t end) {
  StoredExtent result{{begin, end - begin, whole.extent.kind}, whole.raw};
  if (result.raw) result.raw->offset += begin - whole.extent.offset;
  return result;
}

bool read_fully(RawLocation from, std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = ::pread(from.fd, out.data(), out.size(), off_t(from.offset));
    if (got <= 0) return false;
    out = out.subspan(std::size_t(got));
    from.offset += std::uint64_t(got);
  }
  return true;
}

}  // namespace

StoredExtent SharedSource::stored_at(std::uint64_t offset, std::uint64_t limit) {
  const std::lock_guard lock(mutex_);
  return device_.stored_at(offset, limit);
}

// False when the descriptor does not give all of it: whoever knows the device then finds out why.
bool SharedSource::read_raw(const RawLocation& from, std::span<std::byte> out) const {
  if (!read_fully(from, out)) return false;
  if (cache_ == PageCache::drop && out.size() >= least_dropped)
    ::posix_fadvise(from.fd, off_t(from.offset), off_t(out.size()), POSIX_FADV_DONTNEED);
  return true;
}

void SharedSource::read(const StoredExtent& piece, std::span<std::byte> out) {
  if (piece.raw && read_raw(*piece.raw, out)) return;
  const std::lock_guard lock(mutex_);
  device_.read(piece.extent.offset, out);
}

std::vector<Chunk> cut(const Chunk& chunk) {
  std::vector<Chunk> cells;
  const auto end = chunk.offset + chunk.length;
  for (auto begin = chunk.offset; begin < end; begin += cells.back().length) {
    const auto stop = std::min(base::round_down(begin, chunk_bytes) + chunk_bytes, end);
    Chunk cell{begin, stop - begin, {}, false};
    for (const auto& piece : chunk.pieces) {
      const auto from = std::max(begin, piece.extent.offset), to = std::min(stop, end_of(piece.extent));
      if (from < to) cell.pieces.push_back(part(piece, from, to));
    }
    cells.push_back(std::move(cell));
  }
  return cells;
}

std::vector<Run> read_chunk(SharedSource& source, const Chunk& chunk, std::uint64_t unit_bytes,
                            std::span<std::byte> buffer) {
  std::vector<Run> runs;
  std::uint64_t filled = 0;
  const auto fill_to = [&](std::uint64_t end) {
    if (filled < end) std::fill_n(buffer.begin() + std::ptrdiff_t(filled), end - filled, std::byte{0});
    filled = end;
  };
  for (const auto& piece : chunk.pieces) {
    const auto begin = piece.extent.offset - chunk.offset, end = begin + piece.extent.length;
    const auto unit = base::round_down(begin, unit_bytes);
    if (runs.empty() || unit > runs.back().end()) {
      if (!runs.empty()) fill_to(runs.back().end());
      runs.push_back({unit, 0});
      filled = unit;
    }
    fill_to(begin);
    source.read(piece, buffer.subspan(std::size_t(begin), std::size_t(end - begin)));
    filled = end;
    runs.back().length = base::round_up(end, unit_bytes) - runs.back().offset;
  }
  if (!runs.empty()) fill_to(runs.back().end());
  return runs;
}

void ChunkWalk::advance(std::uint64_t bytes) {
  if (current_ && bytes < current_->extent.length) {
    current_ = part(*current_, position_ + bytes, end_of(current_->extent));
  } else {
    current_.reset();
  }
  position_ += bytes;
}

// The next data; false at the end.
bool ChunkWalk::load() {
  while (!current_ && position_ < source_.size()) {
    auto found = source_.stored_at(position_, std::min(longest_piece, source_.size() - position_));
    if (found.extent.kind == ExtentKind::zero) {
      position_ += found.extent.length;
    } else {
      current_ = found;
    }
  }
  return current_.has_value();
}

// Of what is at hand, the whole units that can be cloned at once, on the device; length 0: none.
Run ChunkWalk::cloneable() const {
  if (!current_->raw) return {};
  const auto begin = base::round_up(position_, unit_bytes_);
  const auto end = base::round_down(end_of(current_->extent), unit_bytes_);
  const bool is_aligned = (current_->raw->offset + begin - position_) % OutputFile::grid_bytes == 0;
  if (begin >= end || !is_aligned) return {};
  return {begin, base::round_down(std::min(end - begin, clone_limit_(*current_->raw)), unit_bytes_)};
}

Chunk ChunkWalk::take_clone(std::uint64_t length) {
  Chunk chunk{position_, length, {part(*current_, position_, position_ + length)}, true};
  advance(length);
  return chunk;
}

void ChunkWalk::take_piece(Chunk& chunk, std::uint64_t end) {
  chunk.pieces.push_back(part(*current_, position_, end));
  advance(end - position_);
}

bool ChunkWalk::has_room(const Chunk& chunk) const {
  return chunk.pieces.empty() || position_ / chunk_bytes == chunk.pieces.front().extent.offset / chunk_bytes;
}

Chunk ChunkWalk::rounded(Chunk chunk) const {
  chunk.offset = base::round_down(chunk.pieces.front().extent.offset, unit_bytes_);
  const auto end = base::round_up(end_of(chunk.pieces.back().extent), unit_bytes_);
  chunk.length = std::min(end, source_.size()) - chunk.offset;
  return chunk;
}

std::optional<Chunk> ChunkWalk::next() {
  Chunk chunk;
  while (load() && has_room(chunk)) {
    const auto clone = cloneable();
    if (clone.length != 0 && clone.offset == position_) {
      if (chunk.pieces.empty()) return take_clone(clone.length);
      break;
    }
    const auto cell_end = base::round_down(position_, chunk_bytes) + chunk_bytes;
    auto end = std::min(cell_end, end_of(current_->extent));
    if (clone.length != 0) end = std::min(end, clone.offset);
    take_piece(chunk, end);
  }
  if (chunk.pieces.empty()) return std::nullopt;
  return rounded(std::move(chunk));
}

}  // namespace hrvm::block
