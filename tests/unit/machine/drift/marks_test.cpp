#include "machine/drift/marks.hpp"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/sys/files.hpp"
#include "support/btrfs_disk.hpp"
#include "support/packed_sectors.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using base::MiB;

namespace {

// A medium with bad sectors everywhere but in its first sector.
class FailingDevice : public block::BlockDevice {
 public:
  std::uint64_t size() const override { return 64 * MiB; }
  using block::BlockDevice::read;
  void read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset + out.size() > 512) throw base::Error(base::ErrorKind::io, "bad sector").on(name_).at(offset);
    std::fill(out.begin(), out.end(), std::byte{0});
  }
  const std::string& name() const override { return name_; }

 private:
  std::string name_ = "failing";
};

std::vector<std::byte> noise(std::size_t bytes, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::byte> all(bytes);
  for (auto& byte : all) byte = std::byte(random());
  return all;
}

constexpr std::array types = {"",
                              "ext4",
                              "vfat",
                              "xfs",
                              "btrfs",
                              "ntfs",
                              "swap",
                              "LVM2_member",
                              "zfs_member",
                              "crypto_LUKS",
                              "linux_raid_member"};

// The damaged filesystems that the readers are tried on: whole, by their sectors, or by their blocks.
std::vector<std::unique_ptr<block::BlockDevice>> damaged(const std::string& name) {
  const auto folder = std::filesystem::path(HRVM_SOURCE_DIR) / "tests/corpus" / name;
  std::vector<std::unique_ptr<block::BlockDevice>> all;
  for (const auto& file : sys::list_directory(folder)) {
    const auto text = sys::read_file(folder / file, 16 * MiB);
    const auto bytes = std::as_bytes(std::span(text));
    if (name == "btrfs")
      all.push_back(std::make_unique<fs::test::FewBlocks>(bytes, 128 * MiB));
    else if (name == "ntfs")
      all.push_back(block::memory_device(test::unpack_sectors(bytes, 2 * MiB), file));
    else
      all.push_back(block::memory_device({bytes.begin(), bytes.end()}, file));
  }
  return all;
}

}  // namespace

TEST_CASE("a bad sector is told in the mark, and the fingerprint is taken") {
  FailingDevice device;
  for (const auto type : {"", "ext4", "xfs", "LVM2_member"})
    CHECK(read_mark(marker_for(type), device) == "cannot be read");
}

TEST_CASE("no look at a hostile filesystem leaves the device") {
  std::size_t looks = 0;
  for (const std::string folder : {"ext", "fat", "ntfs", "btrfs"})
    for (const auto& device : damaged(folder)) {
      for (const auto type : types) CHECK_NOTHROW(read_mark(marker_for(type), *device));
      ++looks;
    }
  CHECK(looks > 60);
}

TEST_CASE("no look at noise leaves the device") {
  for (unsigned seed = 0; seed < 50; ++seed)
    for (const std::size_t bytes : {0u, 1u, 511u, 1100u, 70'000u}) {
      const auto device = block::memory_device(noise(bytes, seed), "noise");
      for (const auto type : types) CHECK_NOTHROW(read_mark(marker_for(type), *device));
    }
}

TEST_CASE("an NTFS is watched at its log's restart pages, wherever these lie") {
  std::vector<std::byte> disk(2 * MiB);
  const auto put = [&](std::size_t offset, auto value) { base::store(disk, offset, value); };
  put(11, base::le16(512));
  put(13, std::uint8_t(8));   // 4 KiB clusters
  put(48, base::le64(16));    // $MFT at 64 KiB
  put(64, std::int8_t(-10));  // records of 1 KiB
  const std::size_t record = 65536 + 2 * 1024;
  put(record + 20, base::le16(56));
  put(record + 56, base::le32(0x80));
  put(record + 56 + 4, base::le32(72));
  put(record + 56 + 8, std::uint8_t(1));
  put(record + 56 + 32, base::le16(64));
  put(record + 56 + 64, std::uint8_t(0x11));  // one byte of length, one of start
  put(record + 56 + 65, std::uint8_t(2));
  put(record + 56 + 66, std::uint8_t(100));  // cluster 100: byte 409600
  const auto mark = [&] { return read_mark(marker_for("ntfs"), *block::memory_device(disk, "ntfs")); };
  const auto then = mark();
  disk[409600 + 48] = std::byte{7};
  CHECK(mark() != then);
  disk[409600 + 48] = std::byte{0};
  CHECK(mark() == then);
  disk[65536 + 3 * 1024 + 100] = std::byte{1};  // $Volume
  CHECK(mark() != then);
}

TEST_CASE("an NTFS of clusters above 64 KiB is watched where its table lies") {
  std::vector<std::byte> disk(2 * MiB);
  const auto put = [&](std::size_t offset, auto value) { base::store(disk, offset, value); };
  put(11, base::le16(512));
  put(13, std::uint8_t(0xf8));  // 256 sectors
  put(48, base::le64(12));      // $MFT at 1.5 MiB
  put(64, std::int8_t(-10));
  const auto mark = [&] { return read_mark(marker_for("ntfs"), *block::memory_device(disk, "ntfs")); };
  const auto then = mark();
  disk[12 * 128 * 1024 + 3 * 1024 + 100] = std::byte{1};  // $Volume
  CHECK(mark() != then);
  CHECK(mark().substr(mark().find("; ")) == then.substr(then.find("; ")));
}

TEST_CASE("a LUKS volume is watched where its data starts") {
  for (const std::uint16_t version : {1, 2}) {
    std::vector<std::byte> disk(20 * MiB);
    base::store(disk, 6, base::be16(version));
    base::store(disk, 8, base::be64(16384));
    base::store(disk, 104, base::be32(4096));  // LUKS1: 2 MiB
    const std::string_view json = R"({"segments":{"0":{"offset":"3145728"}}})";
    for (std::size_t i = 0; i < json.size(); ++i) disk[4096 + i] = std::byte(json[i]);
    const auto mark = [&] { return read_mark(marker_for("crypto_LUKS"), *block::memory_device(disk, "luks")); };
    const auto then = mark();
    disk[(version == 1 ? 2 : 3) * MiB + 1024] = std::byte{1};
    CHECK(mark() != then);
  }
}

TEST_CASE("a btrfs is watched at its superblock, whose generation and log are told") {
  std::vector<std::byte> disk(MiB);
  std::ranges::transform(std::string_view("_BHRfS_M"), disk.begin() + 65536 + 0x40,
                         [](char c) { return std::byte(c); });
  base::store(disk, 65536 + 0x48, base::le64(1234));
  const auto mark = [&] { return read_mark(marker_for("btrfs"), *block::memory_device(disk, "btrfs")); };
  const auto then = mark();
  CHECK(then.starts_with("generation 1234, no log; "));
  base::store(disk, 65536 + 0x60, base::le64(1));
  CHECK(mark().starts_with("generation 1234, with a log to replay; "));
  base::store(disk, 65536 + 0x60, base::le64(0));
  CHECK(mark() == then);
  disk[65536 + 4000] = std::byte{1};
  CHECK(mark() != then);
}
