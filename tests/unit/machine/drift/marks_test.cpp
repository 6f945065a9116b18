#include "machine/drift/marks.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <span>
#include <string_view>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/sys/files.hpp"

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

using Disk = std::vector<std::byte>;

Disk noise(std::size_t bytes, unsigned seed) {
  std::mt19937 random(seed);
  Disk all(bytes);
  for (auto& byte : all) byte = std::byte(random());
  return all;
}

Disk ntfs_disk() {
  Disk disk(2 * MiB);
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
  return disk;
}

Disk luks_disk(std::uint16_t version) {
  Disk disk(20 * MiB);
  base::store(disk, 6, base::be16(version));
  base::store(disk, 8, base::be64(16384));
  base::store(disk, 104, base::be32(4096));  // LUKS1: 2 MiB
  const std::string_view json = R"({"segments":{"0":{"offset":"3145728"}}})";
  for (std::size_t i = 0; i < json.size(); ++i) disk[4096 + i] = std::byte(json[i]);
  return disk;
}

Disk btrfs_disk() {
  Disk disk(MiB);
  std::ranges::transform(std::string_view("_BHRfS_M"), disk.begin() + 65536 + 0x40,
                         [](char c) { return std::byte(c); });
  base::store(disk, 65536 + 0x48, base::le64(1234));
  return disk;
}

Disk xfs_disk() {
  Disk disk(MiB);
  base::store(disk, 0, base::be32(0x58465342));
  base::store(disk, 4, base::be32(4096));
  base::store(disk, 48, base::be64(16));  // the log at 64 KiB
  base::store(disk, 84, base::be32(256));
  base::store(disk, 88, base::be32(1));
  base::store(disk, 96, base::be32(32));
  base::store(disk, 124, std::uint8_t(8));
  for (std::size_t block = 0; block < 256; ++block)
    base::store(disk, 65536 + block * 512, base::be32(block < 100 ? 7 : 6));
  return disk;
}

// The sound one of a corpus of filesystems.
Disk corpus_disk(const std::string& name) {
  const auto bytes = sys::read_file(HRVM_SOURCE_DIR "/tests/corpus/" + name + "/sound.reads", 4 * MiB);
  const auto all = std::as_bytes(std::span(bytes));
  return {all.begin(), all.end()};
}

struct Sample {
  std::string_view type;
  Disk disk;
};

std::vector<Sample> samples() {
  return {{"ext4", corpus_disk("ext")}, {"vfat", corpus_disk("fat")}, {"ntfs", ntfs_disk()},
          {"xfs", xfs_disk()},          {"btrfs", btrfs_disk()},      {"crypto_LUKS", luks_disk(1)},
          {"crypto_LUKS", luks_disk(2)}};
}

// Where the first bytes are that say something, and those beside them.
std::vector<std::size_t> telling_bytes(const Disk& disk) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < disk.size() && places.size() < 1000; ++i)
    if (disk[i] != std::byte{0} || (i > 0 && disk[i - 1] != std::byte{0})) places.push_back(i);
  return places;
}

}  // namespace

TEST_CASE("a bad sector is told in the mark, and the fingerprint is taken") {
  FailingDevice device;
  for (const auto type : {"", "ext4", "xfs", "LVM2_member"})
    CHECK(read_mark(marker_for(type), device) == "cannot be read");
}

TEST_CASE("no look at noise leaves the device") {
  for (unsigned seed = 0; seed < 50; ++seed) {
    for (const std::size_t bytes : {0u, 1u, 511u, 1100u, 70'000u}) {
      const auto device = block::memory_device(noise(bytes, seed), "noise");
      for (const auto type : {"", "ext4", "vfat", "xfs", "btrfs", "ntfs", "swap", "LVM2_member", "zfs_member",
                              "crypto_LUKS", "linux_raid_member"})
        CHECK_NOTHROW(read_mark(marker_for(type), *device));
    }
  }
}

TEST_CASE("no look at a filesystem with hostile fields leaves the device") {
  std::mt19937 random(1);
  for (const auto& [type, sound] : samples()) {
    const auto& marker = marker_for(type);
    const auto look = marker.look(*block::memory_device(sound, "sound"));
    INFO(type);
    // One that stops at its first field would pass whatever the others say.
    REQUIRE((look.regions.size() > 1 || !look.text.empty()));
    const auto places = telling_bytes(sound);
    for (int round = 0; round < 300; ++round) {
      auto disk = sound;
      for (auto wrong = 1 + random() % 4; wrong > 0; --wrong)
        disk[places[random() % places.size()]] = random() % 2 ? std::byte(0xff) : std::byte(random());
      if (round % 2) disk.resize(places[random() % places.size()]);
      CHECK_NOTHROW(read_mark(marker, *block::memory_device(std::move(disk), "hostile")));
    }
  }
}

TEST_CASE("an NTFS is watched at its log's restart pages, wherever these lie") {
  auto disk = ntfs_disk();
  const auto mark = [&] { return read_mark(marker_for("ntfs"), *block::memory_device(disk, "ntfs")); };
  const auto then = mark();
  disk[409600 + 48] = std::byte{7};
  CHECK(mark() != then);
  disk[409600 + 48] = std::byte{0};
  CHECK(mark() == then);
  disk[65536 + 3 * 1024 + 100] = std::byte{1};  // $Volume
  CHECK(mark() != then);
}

TEST_CASE("a LUKS volume is watched where its data starts") {
  for (const std::uint16_t version : {1, 2}) {
    auto disk = luks_disk(version);
    const auto mark = [&] { return read_mark(marker_for("crypto_LUKS"), *block::memory_device(disk, "luks")); };
    const auto then = mark();
    disk[(version == 1 ? 2 : 3) * MiB + 1024] = std::byte{1};
    CHECK(mark() != then);
  }
}

TEST_CASE("a btrfs is watched at its superblock, whose generation and log are told") {
  auto disk = btrfs_disk();
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
