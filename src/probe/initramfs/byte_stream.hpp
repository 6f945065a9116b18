// ByteStream: bytes that are read once, from their beginning to their end, in pieces as large as they come. So an
// archive is walked through without ever being held whole.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hrvm::probe {

class ByteStream {
 public:
  virtual ~ByteStream() = default;

  // What comes next: at least one byte, none at the end. It stays there until it is skipped.
  virtual std::span<const std::byte> peek() = 0;
  // Goes on by so many bytes, or to the end where that comes first.
  virtual void skip(std::uint64_t bytes) {
    for (auto piece = peek(); bytes > 0 && !piece.empty(); piece = peek()) {
      const auto step = std::min<std::uint64_t>(bytes, piece.size());
      drop(std::size_t(step));
      if ((bytes -= step) == 0) return;
    }
  }
  // Fills `out` and goes on behind it; how much of it was filled.
  std::size_t read(std::span<std::byte> out) {
    std::size_t filled = 0;
    while (filled < out.size()) {
      const auto piece = peek();
      if (piece.empty()) break;
      const auto step = std::min(piece.size(), out.size() - filled);
      std::copy_n(piece.begin(), step, out.begin() + std::ptrdiff_t(filled));
      drop(step);
      filled += step;
    }
    return filled;
  }
  // To the first byte that is not zero; false when there is none.
  bool skip_zeros() {
    for (auto piece = peek(); !piece.empty(); piece = peek()) {
      const auto found = std::find_if(piece.begin(), piece.end(), [](std::byte byte) { return byte != std::byte{0}; });
      drop(std::size_t(found - piece.begin()));
      if (found != piece.end()) return true;
    }
    return false;
  }

 protected:
  friend class Decoder;
  // Goes on by at most what peek() gave.
  virtual void drop(std::size_t bytes) = 0;
};

}  // namespace hrvm::probe
