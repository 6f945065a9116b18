#include "hrvm/block/compare.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <vector>

#include "block/pairing.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/copy.hpp"
#include "hrvm/block/worker_pool.hpp"

namespace hrvm::block {

namespace {

constexpr std::uint64_t none = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t buffer_bytes = 2 * base::MiB;
constexpr std::uint64_t most_read = buffer_bytes / 2;  // of each device at once
// What a thread gets at once: waking it for less costs as much as it saves. No more pieces either, should they be
// small.
constexpr std::uint64_t batch_bytes = 8 * base::MiB;
constexpr std::size_t batch_pieces = 256;

class Comparison {
 public:
  Comparison(BlockDevice& one, BlockDevice& other) : both_(one, other) {}

  std::optional<std::uint64_t> run(const sys::ProgressCallback& progress) {
    WorkerPool pool(buffer_bytes);  // ends before what its threads use
    const auto end = both_.size();
    std::vector<Pair> batch;
    std::uint64_t bytes = 0;
    const auto submit = [&] {
      pool.submit([this, todo = std::exchange(batch, {})](std::span<std::byte> buffer, Turn&) { check(todo, buffer); });
      bytes = 0;
    };
    // Behind the first difference nothing matters; all before it has been submitted.
    for (std::uint64_t offset = 0; offset < end && first_ == none;) {
      progress(offset);
      const auto pair = both_.next(offset, batch_bytes - bytes);
      offset += pair.one.extent.length;
      if (!both_.may_differ(pair)) continue;
      bytes += pair.one.extent.length;
      batch.push_back(pair);
      if (bytes == batch_bytes || batch.size() == batch_pieces) submit();
    }
    if (!batch.empty()) submit();
    pool.finish();
    progress(end);
    return first_ == none ? std::nullopt : std::optional<std::uint64_t>(first_);
  }

 private:
  void check(const std::vector<Pair>& pairs, std::span<std::byte> buffer) {
    for (const auto& pair : pairs) check(pair, buffer);
  }

  void check(const Pair& pair, std::span<std::byte> buffer) {
    const auto& whole = pair.one.extent;
    for (std::uint64_t done = 0; done < whole.length && whole.offset + done < first_; done += most_read) {
      const auto length = std::min(most_read, whole.length - done);
      const auto at = difference({part(pair.one, done, length), part(pair.other, done, length)}, buffer);
      if (at) lower_first(whole.offset + done + *at);
    }
  }

  static std::span<const std::byte> read(SharedSource& source, const StoredExtent& piece, std::span<std::byte> buffer) {
    const auto bytes = buffer.first(std::size_t(piece.extent.length));
    source.read(piece, bytes);
    return bytes;
  }

  std::optional<std::uint64_t> difference(const Pair& pair, std::span<std::byte> buffer) {
    const auto [one_half, other_half] = std::pair(buffer.first(most_read), buffer.subspan(most_read));
    if (pair.one.extent.kind == ExtentKind::zero) return first_nonzero(read(both_.other(), pair.other, other_half));
    if (pair.other.extent.kind == ExtentKind::zero) return first_nonzero(read(both_.one(), pair.one, one_half));
    const auto a = read(both_.one(), pair.one, one_half), b = read(both_.other(), pair.other, other_half);
    if (std::memcmp(a.data(), b.data(), a.size()) == 0) return std::nullopt;
    return std::uint64_t(std::ranges::mismatch(a, b).in1 - a.begin());
  }

  static std::optional<std::uint64_t> first_nonzero(std::span<const std::byte> bytes) {
    if (is_zero(bytes)) return std::nullopt;
    const auto found = std::ranges::find_if(bytes, [](std::byte byte) { return byte != std::byte{0}; });
    return std::uint64_t(found - bytes.begin());
  }

  void lower_first(std::uint64_t offset) {
    auto known = first_.load();
    while (offset < known && !first_.compare_exchange_weak(known, offset)) {
    }
  }

  Pairing both_;
  std::atomic<std::uint64_t> first_ = none;
};

}  // namespace

std::optional<std::uint64_t> first_difference(BlockDevice& one, BlockDevice& other,
                                              const sys::ProgressCallback& progress) {
  return Comparison(one, other).run(progress);
}

}  // namespace hrvm::block
