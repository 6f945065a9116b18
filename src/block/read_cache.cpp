#include "hrvm/block/read_cache.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <new>
#include <utility>

#include "hrvm/base/error.hpp"

namespace hrvm::block {
namespace {

constexpr std::uint64_t piece_bytes = 32 << 10, most_kept_bytes = 512 << 10, most_at_once = 1 << 20;
constexpr std::size_t most_pieces = 256, slab_bytes = 2 << 20;

}  // namespace

void ReadCache::read_through(std::uint64_t offset, std::span<std::byte> out) {
  ++count_.reads;
  count_.bytes += out.size();
  parent_.read(offset, out);
}

const ReadCache::Piece* ReadCache::find(std::uint64_t offset) {
  const auto found = places_.find(offset);
  if (found == places_.end()) return nullptr;
  pieces_.splice(pieces_.begin(), pieces_, found->second);
  return &pieces_.front();
}

// A page that is touched for the first time costs a microsecond or more, and there are 512 to a slab.
std::span<std::byte> ReadCache::room_for_piece() {
  if (rooms_left_ == 0) {
    Slab slab(static_cast<std::byte*>(std::aligned_alloc(slab_bytes, slab_bytes)));
    if (!slab) throw std::bad_alloc();
    ::madvise(slab.get(), slab_bytes, MADV_HUGEPAGE);
    slabs_.push_back(std::move(slab));
    rooms_left_ = slab_bytes / piece_bytes;
  }
  --rooms_left_;
  return {slabs_.back().get() + rooms_left_ * piece_bytes, piece_bytes};
}

void ReadCache::keep(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (pieces_.size() == most_pieces) {
    places_.erase(pieces_.back().offset);
    pieces_.splice(pieces_.begin(), pieces_, std::prev(pieces_.end()));
  } else {
    pieces_.push_front({0, room_for_piece(), {}});
  }
  Piece& piece = pieces_.front();
  std::memcpy(piece.room.data(), bytes.data(), bytes.size());
  piece.offset = offset;
  piece.bytes = piece.room.first(bytes.size());
  places_[offset] = pieces_.begin();
}

// As far as it matters.
std::uint64_t ReadCache::bytes_kept_before(std::uint64_t offset) const {
  std::uint64_t bytes = 0;
  while (bytes < most_at_once && bytes < offset && places_.contains(offset - bytes - piece_bytes)) bytes += piece_bytes;
  return bytes;
}

const ReadCache::Piece& ReadCache::fetch(std::uint64_t offset, std::uint64_t end) {
  const std::uint64_t before = reads_ahead_ ? bytes_kept_before(offset) : 0;
  const std::uint64_t ahead = before == 0 ? 0 : std::max(before, 2 * piece_bytes);
  const std::uint64_t wanted = std::min(size(), std::max(end, offset + ahead));
  std::uint64_t fetched = offset + piece_bytes;
  while (fetched < wanted && !places_.contains(fetched)) fetched += piece_bytes;
  const auto length = std::size_t(std::min(fetched, size()) - offset);
  if (fetched_.size() < length) fetched_.resize(length);
  const auto bytes = std::span(fetched_).first(length);
  read_through(offset, bytes);
  // The first is used next, and so kept last.
  for (std::size_t at = (bytes.size() - 1) / piece_bytes * piece_bytes;; at -= piece_bytes) {
    keep(offset + at, bytes.subspan(at, std::min<std::size_t>(piece_bytes, bytes.size() - at)));
    if (at == 0) break;
  }
  return pieces_.front();
}

// A piece with a bad sector is no reason to fail those who want what lies beside it.
void ReadCache::read(std::uint64_t offset, std::span<std::byte> out) {
  if (out.size() > (reads_ahead_ ? most_kept_bytes : piece_bytes) || offset > size() || out.size() > size() - offset)
    return read_through(offset, out);
  try {
    for (std::size_t done = 0; done < out.size();) {
      const std::uint64_t at = offset + done, start = at / piece_bytes * piece_bytes;
      const Piece* kept = find(start);
      const auto& piece = (kept ? *kept : fetch(start, offset + out.size())).bytes;
      const auto length = std::min<std::size_t>(out.size() - done, piece.size() - (at - start));
      std::copy_n(piece.begin() + std::ptrdiff_t(at - start), length, out.begin() + std::ptrdiff_t(done));
      done += length;
    }
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::io) throw;
    read_through(offset, out);
  }
}

}  // namespace hrvm::block
