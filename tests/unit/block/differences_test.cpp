#include "hrvm/block/differences.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/devices.hpp"
#include "support/disk_writer.hpp"
#include "support/temporary_directory.hpp"

using namespace hrvm;
using base::KiB, base::MiB;
using block::ByteRange, block::ByteRanges;

namespace {

std::vector<std::byte> random_bytes(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes(size);
  for (auto& byte : bytes) byte = std::byte(random());
  return bytes;
}

ByteRanges find(block::BlockDevice& one, block::BlockDevice& other) {
  std::uint64_t last = 0;
  auto result = block::differences(one, other, [&](std::uint64_t done) { last = done; });
  CHECK(last == std::max(one.size(), other.size()));
  return result;
}

ByteRanges find(std::vector<std::byte> one, std::vector<std::byte> other) {
  const auto a = block::memory_device(std::move(one), "one"), b = block::memory_device(std::move(other), "other");
  return find(*a, *b);
}

}  // namespace

TEST_CASE("every sector that differs is found, and no other") {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    std::mt19937 random(seed);
    const auto one = random_bytes(3 * MiB + random() % 5000, seed);
    auto other = one;
    std::vector<ByteRange> expected;
    for (int i = 0; i < 50; ++i) {
      const std::uint64_t at = random() % other.size(), sector = at / 512 * 512;
      other[at] = ~one[at];
      expected.push_back({sector, std::min<std::uint64_t>(512, other.size() - sector)});
    }
    const ByteRanges ranges(expected);
    const auto found = find(one, other);
    CHECK(std::ranges::equal(found.all(), ranges.all()));
  }
}

TEST_CASE("behind its end a device counts as zeros") {
  auto longer = random_bytes(10'000, 3);
  const std::vector shorter(longer.begin(), longer.begin() + 4096);
  std::fill(longer.begin() + 6000, longer.end(), std::byte{0});
  const std::vector<ByteRange> expected{{4096, 4 * 512}};  // up to the sector in which byte 5999 lies
  CHECK(std::ranges::equal(find(longer, shorter).all(), expected));
  CHECK(std::ranges::equal(find(shorter, longer).all(), expected));
}

TEST_CASE("what lies in one file for both is not read") {
  const test::TemporaryDirectory folder;
  folder.write("file", std::string(2 * MiB, 'x'));
  const auto one = block::open_device(folder / "file"), other = block::open_device(folder / "file");
  folder.write("file", std::string(2 * MiB, 'y'));
  test::write_at(folder / "file", 1 * MiB, std::as_bytes(std::span("z")));
  CHECK(find(*one, *other).empty());
  const auto moved = block::slice(*other, 512, MiB, "moved");
  const auto first = block::slice(*one, 0, MiB, "first");
  CHECK(find(*first, *moved).bytes() == 512);
}

TEST_CASE("where too many ranges differ, near ones become one, and none is lost") {
  constexpr std::size_t most = 1000;
  const std::vector<std::byte> one(16 * MiB);
  auto other = one;
  std::mt19937 random(5);
  std::vector<std::uint64_t> places;
  for (std::uint64_t at = 0; at < other.size(); at += 1024 + random() % 8192)
    other[at] = std::byte{1}, places.push_back(at);
  REQUIRE(places.size() > 2 * most);
  const auto a = block::memory_device(one, "one"), b = block::memory_device(other, "other");
  const auto found = block::differences(
      *a, *b, [](std::uint64_t) {}, most);
  CHECK(found.all().size() <= most);
  CHECK(found.all().size() > most / 8);
  CHECK(std::ranges::all_of(places, [&](std::uint64_t at) { return found.touches({at, 1}); }));
  CHECK(found.bytes() < other.size());
}

TEST_CASE("a set of ranges tells what is in it, and what is not in another") {
  const ByteRanges set({{100, 50}, {0, 10}, {120, 100}, {10, 5}, {400, 0}});
  CHECK(std::ranges::equal(set.all(), std::vector<ByteRange>{{0, 15}, {100, 120}}));
  CHECK(set.bytes() == 135);
  CHECK(set.touches({14, 1}));
  CHECK_FALSE(set.touches({15, 85}));
  CHECK(set.touches({15, 86}));
  CHECK_FALSE(set.touches({220, 1000}));
  CHECK(set.within({10, 100}) == std::vector<ByteRange>{{10, 5}, {100, 10}});
  const ByteRanges other({{5, 5}, {90, 20}, {200, 100}});
  CHECK(std::ranges::equal(set.without(other).all(), std::vector<ByteRange>{{0, 5}, {10, 5}, {110, 90}}));
  CHECK(set.without(set).empty());
  CHECK(std::ranges::equal(ByteRanges().without(set).all(), std::vector<ByteRange>{}));
}
