// Sets of bytes of a device.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hrvm::block {

struct ByteRange {
  std::uint64_t offset = 0, length = 0;
  std::uint64_t end() const { return offset + length; }
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

// A set in which one can look up ranges; 16 bytes of memory for each piece of it.
class ByteRanges {
 public:
  ByteRanges() = default;
  // In any order, also with overlaps.
  explicit ByteRanges(std::vector<ByteRange> ranges);

  // At or behind the end of the last.
  void append(ByteRange range);
  // In order; none is empty, none touches the next.
  std::span<const ByteRange> all() const { return ranges_; }
  bool empty() const { return ranges_.empty(); }
  std::uint64_t bytes() const;

  bool touches(ByteRange range) const;
  // What of `range` is in the set, in order.
  std::vector<ByteRange> within(ByteRange range) const;
  ByteRanges without(const ByteRanges& other) const;

 private:
  std::vector<ByteRange>::const_iterator first_behind(std::uint64_t offset) const;

  std::vector<ByteRange> ranges_;
};

}  // namespace hrvm::block
