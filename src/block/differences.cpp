#include "hrvm/block/differences.hpp"

#include <algorithm>
#include <cstring>

#include "block/pairing.hpp"
#include "hrvm/base/byte_size.hpp"

namespace hrvm::block {
namespace {

constexpr std::uint64_t read_at_once = base::MiB;
constexpr std::uint64_t page = 4 * base::KiB;  // looked at whole before it is looked at in pieces

class Differences {
 public:
  Differences(BlockDevice& one, BlockDevice& other, std::size_t most)
      : both_(one, other), most_(most), one_(std::size_t(read_at_once)), other_(std::size_t(read_at_once)) {}

  ByteRanges find(const sys::ProgressCallback& progress) {
    for (std::uint64_t offset = 0; offset < both_.size();) {
      progress(offset);
      const auto pair = both_.next(offset, read_at_once - offset % read_at_once);
      if (both_.may_differ(pair)) compare(pair);
      offset += pair.one.extent.length;
    }
    progress(both_.size());
    return std::move(found_);
  }

 private:
  static std::span<const std::byte> read(SharedSource& source, const StoredExtent& piece, std::span<std::byte> buffer) {
    const auto bytes = buffer.first(std::size_t(piece.extent.length));
    if (piece.extent.kind == ExtentKind::zero)
      std::ranges::fill(bytes, std::byte{0});
    else
      source.read(piece, bytes);
    return bytes;
  }

  void compare(const Pair& pair) {
    const auto one = read(both_.one(), pair.one, one_), other = read(both_.other(), pair.other, other_);
    each_that_differs(one, other, 0, page, [&](std::uint64_t at, std::uint64_t length) {
      const auto from = std::size_t(at), size = std::size_t(length);
      each_that_differs(one.subspan(from, size), other.subspan(from, size), at, difference_bytes,
                        [&](std::uint64_t piece, std::uint64_t bytes) {
                          add({pair.one.extent.offset + piece, bytes});
                        });
    });
  }

  // Calls take(begin + where, length) for each piece.
  template <typename Take>
  static void each_that_differs(std::span<const std::byte> one, std::span<const std::byte> other, std::uint64_t begin,
                                std::uint64_t piece, Take take) {
    if (std::memcmp(one.data(), other.data(), one.size()) == 0) return;
    for (std::size_t at = 0; at < one.size(); at += std::size_t(piece)) {
      const auto length = std::min(std::size_t(piece), one.size() - at);
      if (std::memcmp(one.data() + at, other.data() + at, length) != 0) take(begin + at, std::uint64_t(length));
    }
  }

  void add(ByteRange range) {
    found_.append(range);
    if (found_.all().size() > most_) found_ = joined(found_);
  }

  // With those gaps closed that are at most twice as long as they are on average: half of them at least.
  static ByteRanges joined(const ByteRanges& ranges) {
    const auto all = ranges.all();
    const auto gaps = all.back().end() - all.front().offset - ranges.bytes();
    const auto longest = 2 * (gaps / (all.size() - 1) + 1);
    std::vector<ByteRange> result{all.front()};
    for (const ByteRange& each : all.subspan(1)) {
      if (each.offset - result.back().end() <= longest)
        result.back().length = each.end() - result.back().offset;
      else
        result.push_back(each);
    }
    return ByteRanges(std::move(result));
  }

  Pairing both_;
  std::size_t most_;
  std::vector<std::byte> one_, other_;
  ByteRanges found_;
};

}  // namespace

ByteRanges differences(BlockDevice& one, BlockDevice& other, const sys::ProgressCallback& progress, std::size_t most) {
  return Differences(one, other, most).find(progress);
}

}  // namespace hrvm::block
