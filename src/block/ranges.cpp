#include "hrvm/block/ranges.hpp"

#include <algorithm>

namespace hrvm::block {

ByteRanges::ByteRanges(std::vector<ByteRange> ranges) {
  std::erase_if(ranges, [](const ByteRange& each) { return each.length == 0; });
  std::ranges::sort(ranges, {}, &ByteRange::offset);
  for (const ByteRange& each : ranges) {
    if (!ranges_.empty() && each.offset <= ranges_.back().end())
      ranges_.back().length = std::max(ranges_.back().end(), each.end()) - ranges_.back().offset;
    else
      ranges_.push_back(each);
  }
}

void ByteRanges::append(ByteRange range) {
  if (range.length == 0) return;
  if (!ranges_.empty() && ranges_.back().end() == range.offset)
    ranges_.back().length += range.length;
  else
    ranges_.push_back(range);
}

std::uint64_t ByteRanges::bytes() const {
  std::uint64_t bytes = 0;
  for (const ByteRange& each : ranges_) bytes += each.length;
  return bytes;
}

std::vector<ByteRange>::const_iterator ByteRanges::first_behind(std::uint64_t offset) const {
  return std::ranges::upper_bound(ranges_, offset, {}, [](const ByteRange& each) { return each.end(); });
}

bool ByteRanges::touches(ByteRange range) const {
  const auto found = first_behind(range.offset);
  return found != ranges_.end() && found->offset < range.end();
}

std::vector<ByteRange> ByteRanges::within(ByteRange range) const {
  std::vector<ByteRange> found;
  for (auto each = first_behind(range.offset); each != ranges_.end() && each->offset < range.end(); ++each) {
    const auto begin = std::max(each->offset, range.offset);
    found.push_back({begin, std::min(each->end(), range.end()) - begin});
  }
  return found;
}

ByteRanges ByteRanges::without(const ByteRanges& other) const {
  ByteRanges left;
  for (const ByteRange& each : ranges_) {
    auto from = each.offset;
    for (const ByteRange& taken : other.within(each)) {
      left.append({from, taken.offset - from});
      from = taken.end();
    }
    left.append({from, each.end() - from});
  }
  return left;
}

}  // namespace hrvm::block
