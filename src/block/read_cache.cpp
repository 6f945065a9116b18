#include "hrvm/block/read_cache.hpp"

#include <algorithm>

#include "hrvm/base/error.hpp"

namespace hrvm::block {
namespace {

constexpr std::uint64_t piece_bytes = 32 << 10;
constexpr std::size_t most_pieces = 256;

}  // namespace

void ReadCache::read_through(std::uint64_t offset, std::span<std::byte> out) {
  ++count_.reads;
  count_.bytes += out.size();
  parent_.read(offset, out);
}

const std::vector<std::byte>& ReadCache::piece_at(std::uint64_t offset) {
  if (const auto found = places_.find(offset); found != places_.end()) {
    pieces_.splice(pieces_.begin(), pieces_, found->second);
    return pieces_.front().bytes;
  }
  std::vector<std::byte> bytes(std::size_t(std::min(piece_bytes, size() - offset)));
  read_through(offset, bytes);
  if (pieces_.size() == most_pieces) {
    places_.erase(pieces_.back().offset);
    pieces_.pop_back();
  }
  pieces_.push_front({offset, std::move(bytes)});
  places_[offset] = pieces_.begin();
  return pieces_.front().bytes;
}

// A piece with a bad sector is no reason to fail those who want what lies beside it.
void ReadCache::read(std::uint64_t offset, std::span<std::byte> out) {
  if (out.size() >= piece_bytes || offset > size() || out.size() > size() - offset) return read_through(offset, out);
  try {
    for (std::size_t done = 0; done < out.size();) {
      const std::uint64_t at = offset + done, start = at / piece_bytes * piece_bytes;
      const auto& piece = piece_at(start);
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
