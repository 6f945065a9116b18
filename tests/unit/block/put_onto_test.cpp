#include "hrvm/block/put_onto.hpp"

#include <catch2/catch.hpp>
#include <mutex>
#include <random>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/block/patched_device.hpp"
#include "support/failing.hpp"

using namespace hrvm;
using base::KiB, base::MiB;

namespace {

using Bytes = std::vector<std::byte>;

struct Written {
  std::uint64_t offset = 0, length = 0;
};

// A disk in memory that remembers what was written to it, and whose power goes after so many writes.
class MemoryTarget : public block::TargetDevice {
 public:
  explicit MemoryTarget(Bytes bytes) : bytes_(std::move(bytes)) {}

  using BlockDevice::read;
  std::uint64_t size() const override { return bytes_.size(); }
  const std::string& name() const override { return name_; }
  void read(std::uint64_t offset, std::span<std::byte> out) override {
    const std::lock_guard lock(mutex_);
    std::copy_n(bytes_.begin() + std::ptrdiff_t(offset), out.size(), out.begin());
  }
  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    const std::lock_guard lock(mutex_);
    note(offset, bytes.size());
    std::ranges::copy(bytes, bytes_.begin() + std::ptrdiff_t(offset));
  }
  void clear(std::uint64_t offset, std::uint64_t length) override {
    const std::lock_guard lock(mutex_);
    note(offset, length);
    ++clears;
    std::fill_n(bytes_.begin() + std::ptrdiff_t(offset), length, std::byte{0});
  }
  void sync() override { ++syncs; }
  bool reread_table() override { return true; }

  const Bytes& bytes() const { return bytes_; }
  Bytes& bytes() { return bytes_; }
  std::vector<Written> written;
  std::size_t clears = 0, writes_left = 1u << 20;
  std::atomic<unsigned> syncs = 0;

 private:
  void note(std::uint64_t offset, std::uint64_t length) {
    if (writes_left-- == 0) {
      writes_left = 0;
      throw base::Error(base::ErrorKind::io, "the power is gone");
    }
    written.push_back({offset, length});
  }

  Bytes bytes_;
  std::string name_ = "/dev/target";
  std::mutex mutex_;
};

Bytes random_bytes(std::size_t size, unsigned seed) {
  std::minstd_rand random(seed);
  Bytes bytes(size);
  for (auto& byte : bytes) byte = std::byte(random() >> 8);
  return bytes;
}

// Data, with a hole of 2 MiB that is zero in the picture.
Bytes picture_bytes() {
  auto bytes = random_bytes(6 * MiB + 12 * KiB, 1);
  std::fill_n(bytes.begin() + 2 * MiB, 2 * MiB, std::byte{0});
  return bytes;
}

std::uint64_t put(const Bytes& picture, MemoryTarget& target, const std::vector<block::Region>& regions = {}) {
  auto device = block::memory_device(picture, "picture");
  block::PutCount count;
  const std::vector<block::Region> all{{0, picture.size()}};
  put_onto(
      *device, target, regions.empty() ? all : regions, count, [](std::uint64_t) {}, [] {});
  check_is_on(*device, target, regions.empty() ? all : regions, [](std::uint64_t) {});
  return count.written_bytes;
}

}  // namespace

TEST_CASE("a disk that holds something else comes to hold the picture, zeros as well") {
  MemoryTarget target(random_bytes(picture_bytes().size(), 2));
  CHECK(put(picture_bytes(), target) == picture_bytes().size());
  CHECK(target.bytes() == picture_bytes());
  CHECK(target.clears >= 3);  // the head, and two MiB of the hole
  CHECK(target.syncs > 2);
}

TEST_CASE("what a disk holds already is not written") {
  MemoryTarget target(picture_bytes());
  CHECK(put(picture_bytes(), target) == 0);
  CHECK(target.written.empty());
}

TEST_CASE("of a piece only what differs is written, in units of 4 KiB") {
  MemoryTarget target(picture_bytes());
  target.bytes()[5 * MiB + 8 * KiB + 3] ^= std::byte{1};
  put(picture_bytes(), target);
  CHECK(target.bytes() == picture_bytes());
  const auto inside = [](const Written& one) { return one.offset == 5 * MiB + 8 * KiB && one.length == 4 * KiB; };
  CHECK(std::ranges::count_if(target.written, inside) == 1);
}

TEST_CASE("the head is zeroed before the first write, and written last, its first unit at the very end") {
  MemoryTarget target(random_bytes(picture_bytes().size(), 2));
  put(picture_bytes(), target);
  REQUIRE(target.written.size() > 4);
  CHECK(target.written.front().offset == 0);
  CHECK(target.written.front().length == MiB);
  for (std::size_t i = 1; i + 2 < target.written.size(); ++i) CHECK(target.written[i].offset >= MiB);
  CHECK(target.written[target.written.size() - 2].offset == 4 * KiB);
  CHECK(target.written.back().offset == 0);
  CHECK(target.written.back().length == 4 * KiB);
}

TEST_CASE("a difference in the head alone is mended") {
  for (const auto at : {std::uint64_t{510}, 4 * KiB, MiB - 1}) {
    MemoryTarget target(picture_bytes());
    target.bytes()[at] ^= std::byte{1};
    put(picture_bytes(), target);
    CHECK(target.bytes() == picture_bytes());
  }
}

TEST_CASE("cut off at any write the disk has no first sector, and the next run makes it whole") {
  std::size_t writes = 0;
  {
    MemoryTarget target(random_bytes(picture_bytes().size(), 2));
    put(picture_bytes(), target);
    writes = target.written.size();
  }
  for (std::size_t left = 0; left < writes; ++left) {
    INFO(left);
    MemoryTarget target(random_bytes(picture_bytes().size(), 2));
    const auto before = target.bytes();
    target.writes_left = left;
    CHECK(test::kind_of([&] { put(picture_bytes(), target); }) == base::ErrorKind::io);
    const auto first = std::span(std::as_const(target).bytes()).first(4 * KiB);
    if (left == 0)
      CHECK(target.bytes() == before);
    else
      CHECK(std::ranges::all_of(first, [](std::byte b) { return b == std::byte{0}; }));
    target.writes_left = 1u << 20;
    put(picture_bytes(), target);
    CHECK(target.bytes() == picture_bytes());
  }
}

TEST_CASE("who is asked before the head can still keep it from being written") {
  MemoryTarget target(random_bytes(picture_bytes().size(), 2));
  auto device = block::memory_device(picture_bytes(), "picture");
  block::PutCount count;
  const auto refuses = [] { throw base::Error(base::ErrorKind::busy, "it runs by now"); };
  CHECK(test::kind_of([&] {
          put_onto(
              *device, target, {{0, device->size()}}, count, [](std::uint64_t) {}, refuses);
        }) == base::ErrorKind::busy);
  CHECK(count.has_begun);
  CHECK(target.bytes()[510] == std::byte{0});
}

TEST_CASE("what lies between the regions stays") {
  const auto before = random_bytes(picture_bytes().size(), 2);
  MemoryTarget target(before);
  put(picture_bytes(), target, {{0, 2 * MiB}, {5 * MiB, picture_bytes().size() - 5 * MiB}});
  const auto same = [&](const Bytes& other, std::uint64_t begin, std::uint64_t end) {
    return std::equal(target.bytes().begin() + std::ptrdiff_t(begin), target.bytes().begin() + std::ptrdiff_t(end),
                      other.begin() + std::ptrdiff_t(begin));
  };
  CHECK(same(picture_bytes(), 0, 2 * MiB));
  CHECK(same(before, 2 * MiB, 5 * MiB));
  CHECK(same(picture_bytes(), 5 * MiB, target.size()));
}

TEST_CASE("a disk that gives other bytes back than were written is found out") {
  MemoryTarget target(picture_bytes());
  target.bytes()[5 * MiB + 77] ^= std::byte{1};
  auto device = block::memory_device(picture_bytes(), "picture");
  const auto error = test::error_of([&] { check_is_on(*device, target, {{0, device->size()}}, [](std::uint64_t) {}); });
  CHECK(error.kind() == base::ErrorKind::io);
  CHECK(error.offset() == 5 * MiB + 77);
}

TEST_CASE("a patched device shows its parent, patches in it and behind it, and zeros behind its end") {
  auto parent = block::memory_device(random_bytes(10'000, 3), "parent");
  const Bytes one(100, std::byte{'1'}), two(200, std::byte{'2'});
  block::PatchedDevice device(*parent, 20'000, {{50, one}, {9'900, two}, {19'900, one}});
  auto expected = parent->read(0, std::size_t{10'000});
  expected.resize(20'000);
  std::ranges::copy(one, expected.begin() + 50);
  std::ranges::copy(two, expected.begin() + 9'900);
  std::ranges::copy(one, expected.begin() + 19'900);
  CHECK(device.block::BlockDevice::read(0, 20'000) == expected);
  Bytes by_extents;
  for (std::uint64_t at = 0; at < device.size();) {
    const auto stored = device.stored_at(at, 3'000);
    REQUIRE(stored.extent.offset == at);
    const auto bytes = device.block::BlockDevice::read(at, std::size_t(stored.extent.length));
    if (stored.extent.kind == block::ExtentKind::zero) CHECK(bytes == Bytes(bytes.size()));
    by_extents.insert(by_extents.end(), bytes.begin(), bytes.end());
    at += stored.extent.length;
  }
  CHECK(by_extents == expected);
  block::PatchedDevice shorter(*parent, 5'000, {});
  CHECK(shorter.block::BlockDevice::read(0, 5'000) == parent->read(0, std::size_t{5'000}));
  CHECK(test::kind_of([&] { shorter.block::BlockDevice::read(4'999, 2); }) == base::ErrorKind::corrupt);
}
