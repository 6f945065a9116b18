#include "hrvm/block/compare.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <map>
#include <vector>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/chunks.hpp"
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
constexpr std::uint64_t longest_extent = base::GiB;

// Of what is stored, `length` bytes from `skipped` on.
StoredExtent part(const StoredExtent& whole, std::uint64_t skipped, std::uint64_t length) {
  StoredExtent result{{whole.extent.offset + skipped, length, whole.extent.kind}, whole.raw};
  if (result.raw) result.raw->offset += skipped;
  return result;
}

// The same range of both, at most batch_bytes of it.
struct Pair {
  StoredExtent one, other;
};

// One of the two, extent by extent; zeros without end behind its end.
class Side {
 public:
  explicit Side(BlockDevice& device) : source_(device) {}

  StoredExtent at(std::uint64_t offset) {
    if (offset >= source_.size()) return {{offset, none - offset, ExtentKind::zero}, std::nullopt};
    if (offset >= known_.extent.offset + known_.extent.length)
      known_ = source_.stored_at(offset, std::min(longest_extent, source_.size() - offset));
    const auto skipped = offset - known_.extent.offset;
    return part(known_, skipped, known_.extent.length - skipped);
  }

  SharedSource& source() { return source_; }
  std::uint64_t size() const { return source_.size(); }

 private:
  SharedSource source_;
  StoredExtent known_;
};

// Which file a descriptor is of, asked once.
class Files {
 public:
  bool same(int one, int other) { return identity(one) == identity(other); }

 private:
  using Identity = std::pair<dev_t, ino_t>;
  Identity identity(int fd) {
    auto [found, is_new] = known_.try_emplace(fd);
    struct stat st {};
    if (is_new && ::fstat(fd, &st) == 0) found->second = {st.st_dev, st.st_ino};
    return found->second;
  }
  std::map<int, Identity> known_;
};

class Comparison {
 public:
  Comparison(BlockDevice& one, BlockDevice& other) : one_(one), other_(other) {}

  std::optional<std::uint64_t> run(const sys::ProgressCallback& progress) {
    WorkerPool pool(buffer_bytes);  // ends before what its threads use
    const auto end = std::max(one_.size(), other_.size());
    std::vector<Pair> batch;
    std::uint64_t bytes = 0;
    const auto submit = [&] {
      pool.submit([this, todo = std::exchange(batch, {})](std::span<std::byte> buffer, Turn&) { check(todo, buffer); });
      bytes = 0;
    };
    // Behind the first difference nothing matters; all before it has been submitted.
    for (std::uint64_t offset = 0; offset < end && first_ == none;) {
      progress(offset);
      const auto pair = next(offset, std::min(end - offset, batch_bytes - bytes));
      offset += pair.one.extent.length;
      if (!is_worth_reading(pair)) continue;
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
  // As far as both are of one kind; at most `limit` bytes of what has to be read.
  Pair next(std::uint64_t offset, std::uint64_t limit) {
    Pair pair{one_.at(offset), other_.at(offset)};
    auto length = std::min(pair.one.extent.length, pair.other.extent.length);
    if (is_worth_reading(pair)) length = std::min(length, limit);
    length = std::min(length, std::max(one_.size(), other_.size()) - offset);
    pair.one.extent.length = pair.other.extent.length = length;
    return pair;
  }

  bool is_worth_reading(const Pair& pair) {
    if (pair.one.extent.kind == ExtentKind::zero && pair.other.extent.kind == ExtentKind::zero) return false;
    const auto &one = pair.one.raw, &other = pair.other.raw;
    return !(one && other && one->offset == other->offset && files_.same(one->fd, other->fd));
  }

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

  static std::span<const std::byte> read(Side& side, const StoredExtent& piece, std::span<std::byte> buffer) {
    const auto bytes = buffer.first(std::size_t(piece.extent.length));
    side.source().read(piece, bytes);
    return bytes;
  }

  std::optional<std::uint64_t> difference(const Pair& pair, std::span<std::byte> buffer) {
    const auto [one_half, other_half] = std::pair(buffer.first(most_read), buffer.subspan(most_read));
    if (pair.one.extent.kind == ExtentKind::zero) return first_nonzero(read(other_, pair.other, other_half));
    if (pair.other.extent.kind == ExtentKind::zero) return first_nonzero(read(one_, pair.one, one_half));
    const auto a = read(one_, pair.one, one_half), b = read(other_, pair.other, other_half);
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

  Side one_, other_;
  Files files_;
  std::atomic<std::uint64_t> first_ = none;
};

}  // namespace

std::optional<std::uint64_t> first_difference(BlockDevice& one, BlockDevice& other,
                                              const sys::ProgressCallback& progress) {
  return Comparison(one, other).run(progress);
}

}  // namespace hrvm::block
