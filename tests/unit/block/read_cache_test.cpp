#include <catch2/catch.hpp>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/block/read_cache.hpp"
#include "support/failing.hpp"

namespace hrvm::block {
namespace {

constexpr std::size_t kib = 1024;

std::vector<std::byte> numbered(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = std::byte(i * 31 + i / 251);
  return bytes;
}

// Its sector at 40 KiB cannot be read.
class Failing : public BlockDevice {
 public:
  using BlockDevice::read;
  std::uint64_t size() const override { return 128 * kib; }
  void read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset < 40 * kib + 512 && offset + out.size() > 40 * kib)
      throw base::Error(base::ErrorKind::io, "the medium failed");
    std::fill(out.begin(), out.end(), std::byte(7));
  }
  const std::string& name() const override { return name_; }

 private:
  std::string name_ = "failing";
};

}  // namespace

TEST_CASE("what is read through a cache is what lies on the device, wherever the read begins and ends") {
  const auto bytes = numbered(100 * kib + 17);
  const auto device = memory_device(bytes, "disk");
  ReadCache cache(*device);
  for (const auto& [offset, length] : std::vector<std::pair<std::size_t, std::size_t>>{{0, 1},
                                                                                       {32 * kib - 3, 7},
                                                                                       {1, 31 * kib},
                                                                                       {64 * kib - 1, 2},
                                                                                       {100 * kib, 17},
                                                                                       {5, 90 * kib},
                                                                                       {96 * kib, 4 * kib + 17}}) {
    CAPTURE(offset, length);
    const auto read = cache.read(offset, length);
    CHECK(std::equal(read.begin(), read.end(), bytes.begin() + std::ptrdiff_t(offset)));
  }
}

TEST_CASE("little reads beside each other cost one read of the device") {
  const auto device = memory_device(numbered(256 * kib), "disk");
  ReadCache cache(*device);
  for (std::size_t offset = 0; offset < 32 * kib; offset += 512) cache.read(offset, 512);
  CHECK(cache.count().reads == 1);
  CHECK(cache.count().bytes == 32 * kib);
  cache.read(64 * kib, 64 * kib);
  CHECK(cache.count().reads == 2);
  CHECK(cache.count().bytes == 96 * kib);
}

TEST_CASE("who reads on gets ever more at once, and nothing twice") {
  const auto bytes = numbered(8 * 1024 * kib + 17);
  const auto device = memory_device(bytes, "disk");
  ReadCache cache(*device, ReadCache::Manner::ahead);
  for (std::size_t offset = 0; offset < bytes.size(); offset += 4 * kib) {
    const auto read = cache.read(offset, std::min(4 * kib, bytes.size() - offset));
    REQUIRE(std::equal(read.begin(), read.end(), bytes.begin() + std::ptrdiff_t(offset)));
  }
  // 32, 64, 96, 192, 384, 768 KiB, then each 1 MiB.
  CHECK(cache.count().reads == 13);
  CHECK(cache.count().bytes == bytes.size());
}

TEST_CASE("two who read on in turn are both seen to, and what lies alone costs its piece") {
  const auto device = memory_device(std::vector<std::byte>(64 * 1024 * kib), "disk");
  ReadCache cache(*device, ReadCache::Manner::ahead);
  for (std::size_t offset = 0; offset < 512 * kib; offset += 32 * kib) {
    cache.read(offset, 1);
    cache.read(32 * 1024 * kib + offset, 1);
  }
  CHECK(cache.count().reads == 2 * 5);
  const auto before = cache.count().bytes;
  cache.read(16 * 1024 * kib, 1);
  CHECK(cache.count().bytes == before + 32 * kib);
}

TEST_CASE("a lean cache reads nothing that nobody asked for beyond its piece") {
  const auto device = memory_device(std::vector<std::byte>(1024 * kib), "disk");
  ReadCache cache(*device);
  for (std::size_t offset = 0; offset < 128 * kib; offset += 32 * kib) cache.read(offset, 1);
  CHECK(cache.count().reads == 4);
  CHECK(cache.count().bytes == 128 * kib);
  cache.read(512 * kib, 100 * kib);
  cache.read(512 * kib, 100 * kib);
  CHECK(cache.count().bytes == 328 * kib);
}

TEST_CASE("what is read in bulk is kept, up to 512 KiB") {
  const auto device = memory_device(std::vector<std::byte>(4 * 1024 * kib), "disk");
  ReadCache cache(*device, ReadCache::Manner::ahead);
  cache.read(1000, 300 * kib);
  cache.read(1000, 300 * kib);
  cache.read(40 * kib, 512);
  CHECK(cache.count().reads == 1);
  cache.read(2 * 1024 * kib, 513 * kib);
  cache.read(2 * 1024 * kib, 513 * kib);
  CHECK(cache.count().reads == 3);
}

TEST_CASE("a cache keeps what was used last, and no more than its pieces") {
  const auto device = memory_device(std::vector<std::byte>(800 * 32 * kib), "disk");
  ReadCache cache(*device);
  for (std::uint64_t piece = 0; piece < 600; piece += 2) {  // none behind another
    cache.read(piece * 32 * kib, 1);
    cache.read(0, 1);
  }
  CHECK(cache.count().reads == 300);
  cache.read(598 * 32 * kib, 1);
  CHECK(cache.count().reads == 300);
  cache.read(2 * 32 * kib, 1);
  CHECK(cache.count().reads == 301);
}

TEST_CASE("a sector that cannot be read fails those who want it, and nobody beside it") {
  Failing device;
  ReadCache cache(device);
  CHECK(cache.read(33 * kib, 4 * kib)[0] == std::byte(7));
  CHECK(hrvm::test::kind_of([&] { cache.read(40 * kib, 512); }) == base::ErrorKind::io);
}

TEST_CASE("a read that leaves the device is refused as the device refuses it") {
  const auto device = memory_device(numbered(kib), "disk");
  ReadCache cache(*device);
  CHECK(hrvm::test::kind_of([&] { cache.read(kib - 1, 2); }) == base::ErrorKind::corrupt);
}

}  // namespace hrvm::block
