#include "hrvm/block/put_onto.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/chunks.hpp"
#include "hrvm/block/copy.hpp"
#include "hrvm/block/worker_pool.hpp"

namespace hrvm::block {

namespace {

constexpr std::uint64_t piece_bytes = base::MiB;
constexpr std::uint64_t unit_bytes = 4 * base::KiB;  // a multiple of every sector
constexpr Region head{0, piece_bytes};

std::uint64_t end_of(const Region& region) { return region.offset + region.length; }

// Calls `does` with the pieces of the grid.
template <typename Function>
void for_each_piece(const std::vector<Region>& regions, const Function& does) {
  for (const auto& region : regions)
    for (auto offset = region.offset; offset < end_of(region);) {
      const auto end = std::min(base::round_down(offset, piece_bytes) + piece_bytes, end_of(region));
      does(Region{offset, end - offset});
      offset = end;
    }
}

class Putting {
 public:
  Putting(BlockDevice& picture, TargetDevice& target, PutCount& count)
      : picture_(picture, PageCache::drop), target_(target), count_(count) {}

  void run(const std::vector<Region>& regions, const sys::ProgressCallback& progress,
           const std::function<void()>& before_last) {
    WorkerPool pool(2 * piece_bytes);
    std::uint64_t done = 0;
    for_each_piece(regions, [&](const Region& piece) {
      progress(done);
      done += piece.length;
      if (piece.offset < head.length) return;
      pool.submit([this, piece](std::span<std::byte> buffer, Turn&) { put(piece, buffer); });
    });
    pool.finish();
    if (count_.has_begun) target_.sync();
    progress(done);  // an interruption is heard for the last time: behind the head nothing is half-written
    before_last();
    put_head(pool, std::min(head.length, target_.size()));
  }

  // Calls `differ` with the first byte that does.
  template <typename Function>
  void compare(const std::vector<Region>& regions, const sys::ProgressCallback& progress, const Function& differ) {
    WorkerPool pool(2 * piece_bytes);
    std::uint64_t done = 0;
    for_each_piece(regions, [&](const Region& piece) {
      progress(done);
      done += piece.length;
      pool.submit([this, piece, &differ](std::span<std::byte> buffer, Turn&) {
        const auto [want, have] = read_both(piece, buffer);
        if (std::memcmp(want.data(), have.data(), want.size()) != 0)
          differ(piece.offset + std::uint64_t(std::ranges::mismatch(want, have).in1 - want.begin()));
      });
    });
    pool.finish();
    progress(done);
  }

 private:
  struct Both {
    std::span<std::byte> want, have;
  };

  Both read_both(const Region& piece, std::span<std::byte> buffer) {
    const auto length = std::size_t(piece.length);
    const Both both{buffer.first(length), buffer.subspan(std::size_t(piece_bytes), length)};
    for (std::uint64_t at = 0; at < piece.length;) {
      const auto part = picture_.stored_at(piece.offset + at, piece.length - at);
      const auto out = both.want.subspan(std::size_t(at), std::size_t(part.extent.length));
      if (part.extent.kind == ExtentKind::zero)
        std::ranges::fill(out, std::byte{0});
      else
        picture_.read(part, out);
      at += part.extent.length;
    }
    target_.read(piece.offset, both.have);
    return both;
  }

  void put(const Region& piece, std::span<std::byte> buffer) {
    const auto both = read_both(piece, buffer);
    count_.compared_bytes += piece.length;
    const auto differing = span_that_differs(both);
    if (differing.length == 0) return;
    wipe_head_once();
    const auto bytes = both.want.subspan(std::size_t(differing.offset), std::size_t(differing.length));
    if (is_zero(bytes))
      target_.clear(piece.offset + differing.offset, bytes.size());
    else
      target_.write(piece.offset + differing.offset, bytes);
    count_.written_bytes += bytes.size();
  }

  // From the first unit that differs to the last one.
  static Region span_that_differs(const Both& both) {
    const auto is_same = [&](std::size_t at) {
      const auto length = std::min<std::size_t>(unit_bytes, both.want.size() - at);
      return std::memcmp(both.want.data() + at, both.have.data() + at, length) == 0;
    };
    std::size_t begin = 0, end = both.want.size();
    while (begin < end && is_same(begin)) begin += std::min<std::size_t>(unit_bytes, end - begin);
    const auto last_unit = [&] { return std::size_t(base::round_down(end - 1, unit_bytes)); };
    while (begin < end && is_same(last_unit())) end = last_unit();
    return {begin, end - begin};
  }

  // Before any other write, and on the medium before it.
  void wipe_head_once() {
    const std::lock_guard lock(mutex_);
    if (count_.has_begun) return;
    count_.has_begun = true;
    target_.clear(0, std::min(head.length, target_.size()));
    target_.sync();
  }

  // All of it is read again once it is wiped.
  void put_head(WorkerPool& pool, std::uint64_t length) {
    pool.submit([this, length](std::span<std::byte> buffer, Turn&) {
      if (count_.has_begun || span_that_differs(read_both({0, length}, buffer)).length != 0) wipe_head_once();
    });
    pool.finish();
    const auto first = std::min(length, unit_bytes);
    for (const auto& piece : {Region{first, length - first}, Region{0, first}}) {
      if (piece.length == 0) continue;
      pool.submit([this, piece](std::span<std::byte> buffer, Turn&) { put(piece, buffer); });
      pool.finish();
      if (count_.has_begun) target_.sync();
    }
  }

  SharedSource picture_;
  TargetDevice& target_;
  PutCount& count_;
  std::mutex mutex_;
};

}  // namespace

void put_onto(BlockDevice& picture, TargetDevice& target, const std::vector<Region>& regions, PutCount& count,
              const sys::ProgressCallback& progress, const std::function<void()>& before_last) {
  Putting(picture, target, count).run(regions, progress, before_last);
}

void check_is_on(BlockDevice& picture, TargetDevice& target, const std::vector<Region>& regions,
                 const sys::ProgressCallback& progress) {
  PutCount count;
  Putting(picture, target, count).compare(regions, progress, [&](std::uint64_t offset) {
    throw base::Error(base::ErrorKind::io, fmt::format("{} does not hold what was written onto it", target.name()))
        .on(target.name())
        .at(offset)
        .hint("the disk fails, or is smaller than it says; do not start from it");
  });
}

}  // namespace hrvm::block
