#include "hrvm/block/block_overlay.hpp"

#include <catch2/catch.hpp>

#include "hrvm/block/devices.hpp"
#include "support/failing.hpp"

namespace hrvm::block::test {
namespace {

using hrvm::test::kind_of;

constexpr std::uint32_t block_bytes = 16;

// Blocks that are filled with "a", "b", "c" and so on.
std::vector<std::byte> letters(std::size_t blocks) {
  std::vector<std::byte> bytes(blocks * block_bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::byte('a' + i / block_bytes);
  return bytes;
}

std::string text(BlockDevice& device, std::uint64_t offset, std::size_t length) {
  std::string told;
  for (std::byte byte : device.read(offset, length)) told += char(byte);
  return told;
}

// The first byte of each block.
std::string initials(BlockDevice& device) {
  std::string told;
  for (std::uint64_t at = 0; at < device.size(); at += block_bytes) told += text(device, at, 1);
  return told;
}

std::vector<std::byte> head(std::string_view text) {
  std::vector<std::byte> bytes;
  for (char letter : text) bytes.push_back(std::byte(letter));
  return bytes;
}

}  // namespace

TEST_CASE("a block shows the bytes of its source, and the others their own") {
  const auto device = memory_device(letters(8), "disk");
  BlockOverlay overlay(*device, block_bytes, {{{6, 1}, {2, 7}, {3, 0}, {4, 1}}, {}});
  CHECK(initials(overlay) == "abhabfbh");
  CHECK(overlay.size() == device->size());
  CHECK(overlay.name() == "disk");
  CHECK_FALSE(overlay.raw_location().has_value());
  CHECK(text(overlay, 30, 4) == "bbhh");
  CHECK(text(overlay, 33, 40) == std::string(15, 'h') + std::string(16, 'a') + std::string(9, 'b'));
}

TEST_CASE("of the sources of one block the last counts, and none leads to another") {
  const auto device = memory_device(letters(4), "disk");
  BlockOverlay overlay(*device, block_bytes, {{{0, 1}, {0, 2}, {2, 3}, {3, 2}}, {}});
  CHECK(initials(overlay) == "cbdc");
}

TEST_CASE("a head stands in place of a block's first bytes, wherever reading begins") {
  const auto device = memory_device(letters(4), "disk");
  BlockOverlay overlay(*device, block_bytes, {{{1, 3}}, {{1, head("1234")}, {2, head("56")}}});
  CHECK(text(overlay, 14, 22) == "aa1234dddddddddddd56cc");
  CHECK(text(overlay, 17, 2) == "23");
  CHECK(text(overlay, 19, 2) == "4d");
  CHECK(text(overlay, 20, 3) == "ddd");
}

TEST_CASE("what does not lie in the device is left out, and reading beyond it is corrupt") {
  auto bytes = letters(3);
  bytes.resize(bytes.size() + 5, std::byte('z'));
  const auto device = memory_device(bytes, "disk");
  BlockOverlay overlay(*device, block_bytes, {{{0, 3}, {3, 0}, {1, ~0ull}, {~0ull, 1}, {2, 0}}, {{3, head("12")}}});
  CHECK(initials(overlay) == "abaz");
  CHECK(kind_of([&] { overlay.read(52, 2); }) == base::ErrorKind::corrupt);
  CHECK(kind_of([&] { overlay.extent_at(53); }) == base::ErrorKind::corrupt);
}

TEST_CASE("an extent ends where other bytes are shown, and neighbours that lie together are one") {
  const auto device = memory_device(letters(8), "disk");
  BlockOverlay overlay(*device, block_bytes, {{{2, 5}, {3, 6}, {4, 5}, {6, 0}}, {{6, head("1")}}});
  CHECK(overlay.extent_at(3) == Extent{3, 29, ExtentKind::data});
  CHECK(overlay.extent_at(32) == Extent{32, 32, ExtentKind::data});
  CHECK(overlay.extent_at(40) == Extent{40, 24, ExtentKind::data});
  CHECK(overlay.extent_at(64) == Extent{64, 16, ExtentKind::data});
  CHECK(overlay.extent_at(80) == Extent{80, 16, ExtentKind::data});
  CHECK(overlay.extent_at(97) == Extent{97, 15, ExtentKind::data});
  CHECK(overlay.extent_at(112) == Extent{112, 16, ExtentKind::data});
}

TEST_CASE("the place on the parent is told, and where other bytes stand over it") {
  const auto device = memory_device(letters(8), "disk");
  const BlockOverlay overlay(*device, block_bytes, {{{2, 5}, {3, 6}}, {{6, head("1")}}});
  const auto place = [&](std::uint64_t offset, std::uint64_t limit) {
    const auto told = overlay.place_of(offset, limit);
    return std::tuple(told.length, told.offset, told.is_whole);
  };
  CHECK(place(3, 1000) == std::tuple(29u, 3u, true));
  CHECK(place(40, 10) == std::tuple(10u, 88u, true));
  CHECK(place(40, 1000) == std::tuple(24u, 88u, true));
  CHECK(place(100, 1000) == std::tuple(12u, 100u, false));
}

namespace {

// Its bytes lie in a descriptor, 1000 bytes behind its start; its second half is a hole.
class HalfHole : public BlockDevice {
 public:
  using BlockDevice::read;
  std::uint64_t size() const override { return 8 * block_bytes; }
  void read(std::uint64_t, std::span<std::byte> out) override { std::ranges::fill(out, std::byte(0)); }
  Extent extent_at(std::uint64_t offset) override {
    const std::uint64_t half = size() / 2;
    if (offset < half) return {offset, half - offset, ExtentKind::data};
    return {offset, size() - offset, ExtentKind::zero};
  }
  const std::string& name() const override { return name_; }
  std::optional<RawLocation> raw_location() const override { return RawLocation{5, 1000}; }

 private:
  std::string name_ = "half";
};

}  // namespace

TEST_CASE("what is stored is told where the source lies, a hole as a hole, and a head by reading only") {
  HalfHole device;
  BlockOverlay overlay(device, block_bytes, {{{1, 6}, {5, 2}, {6, 3}}, {{7, head("1")}}});
  const auto raw = [&](std::uint64_t offset) { return overlay.stored_at(offset, 1000).raw; };
  CHECK(overlay.stored_at(2, 5).extent == Extent{2, 5, ExtentKind::data});
  CHECK(raw(2)->offset == 1002);
  CHECK(overlay.stored_at(16, 1000).extent == Extent{16, 16, ExtentKind::zero});
  CHECK_FALSE(raw(16).has_value());
  CHECK(overlay.stored_at(81, 1000).extent == Extent{81, 31, ExtentKind::data});
  CHECK(raw(81)->offset == 1033);
  CHECK(raw(81)->fd == 5);
  CHECK(overlay.stored_at(112, 1000).extent == Extent{112, 16, ExtentKind::data});
  CHECK_FALSE(raw(112).has_value());
}

}  // namespace hrvm::block::test
