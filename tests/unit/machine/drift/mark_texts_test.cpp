// The text of a mark stands in machines' fingerprints, and is compared with what a later hrvm reads: it is the same for
// ever. Each disk below is noise, so that a hash tells which places it was taken over, with a few fields put into it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/image/mark.hpp"
#include "machine/drift/marks.hpp"

using namespace hrvm;
using namespace hrvm::machine;
using base::be16, base::be32, base::be64, base::le16, base::le32, base::le64;
using base::KiB, base::MiB;

namespace {

class Disk {
 public:
  explicit Disk(std::size_t bytes) : bytes_(bytes) {
    std::uint64_t state = 1;
    for (auto& byte : bytes_) {
      state = state * 6364136223846793005 + 1442695040888963407;
      byte = std::byte(state >> 56);
    }
  }

  template <typename T>
  Disk& put(std::size_t offset, const T& value) {
    base::store(bytes_, offset, value);
    return *this;
  }
  Disk& text(std::size_t offset, std::string_view text) {
    std::ranges::transform(text, bytes_.begin() + std::ptrdiff_t(offset), [](char c) { return std::byte(c); });
    return *this;
  }
  Disk& zeros(std::size_t offset, std::size_t length) {
    std::fill_n(bytes_.begin() + std::ptrdiff_t(offset), length, std::byte{0});
    return *this;
  }

  std::size_t size() const { return bytes_.size(); }
  std::string mark(const Marker& marker) const { return read_mark(marker, *block::memory_device(bytes_, "disk")); }

 private:
  std::vector<std::byte> bytes_;
};

Disk ext(std::uint16_t state) {
  return Disk(64 * KiB)
      .put(1024 + 0x2c, le32(1'700'000'000))
      .put(1024 + 0x30, le32(1'700'000'001))
      .put(1024 + 0x34, le16(3))
      .put(1024 + 0x38, le16(0xef53))
      .put(1024 + 0x3a, le16(state))
      .put(1024 + 0x274, std::uint8_t(1))
      .put(1024 + 0x275, std::uint8_t(0));
}

Disk fat(std::uint16_t root_entries, std::uint16_t table_sectors) {
  return Disk(4 * MiB)
      .put(11, le16(512))
      .put(13, std::uint8_t(8))
      .put(14, le16(32))
      .put(16, std::uint8_t(2))
      .put(17, le16(root_entries))
      .put(22, le16(table_sectors))
      .put(36, le32(700))
      .put(44, le32(5));
}

Disk xfs(std::uint64_t log_start, std::uint32_t log_blocks) {
  auto disk = Disk(4 * MiB)
                  .put(0, be32(0x58465342))
                  .put(4, be32(4096))
                  .put(48, be64(log_start))
                  .put(84, be32(256))
                  .put(88, be32(4))
                  .put(96, be32(log_blocks))
                  .put(124, std::uint8_t(8));
  // Group 1, block 16 of 256: 272 * 4 KiB. The first 100 sectors are of turn 7, the others of turn 6.
  for (std::size_t i = 0; i < 64 * 8; ++i) {
    const std::size_t at = 272 * 4096 + i * 512;
    disk.put(at, be32(i % 10 == 0 ? 0xfeedbabe : i < 100 ? 7 : 6)).put(at + 4, be32(i < 100 ? 7 : 6));
  }
  return disk;
}

Disk btrfs(std::uint64_t log_root) {
  return Disk(MiB)
      .text(64 * KiB + 0x40, "_BHRfS_M")
      .put(64 * KiB + 0x48, le64(1234))
      .put(64 * KiB + 0x60, le64(log_root));
}

Disk ntfs(std::uint8_t sectors_per_cluster, std::int8_t record_size, std::uint64_t record_bytes) {
  const std::size_t record = 64 * KiB + 2 * record_bytes;
  return Disk(2 * MiB)
      .put(11, le16(512))
      .put(13, sectors_per_cluster)
      .put(48, le64(64 * KiB / 512 / sectors_per_cluster))
      .put(64, record_size)
      .put(record + 20, le16(56))
      .put(record + 56, le32(0x10))
      .put(record + 60, le32(48))
      .put(record + 104, le32(0x80))
      .put(record + 108, le32(72))
      .put(record + 112, std::uint8_t(1))
      .put(record + 136, le16(64))
      .put(record + 168, std::uint8_t(0x21))
      .put(record + 169, std::uint8_t(2))
      .put(record + 170, le16(200));
}

Disk luks(std::uint16_t version, std::string_view json) {
  return Disk(20 * MiB)
      .text(0, "LUKS\xba\xbe")
      .put(6, be16(version))
      .put(8, be64(16384))
      .put(104, be32(4096))
      .zeros(4096, 12288)
      .text(4096, json);
}

struct Case {
  std::string_view name, type, text;
  std::function<Disk()> disk;
};

const std::vector<Case> cases = {
    {"ext4", "ext4",
     "mounted 3 times, last at 2023-11-14T22:13:20Z, last written 2159-12-22T04:41:37Z, clean; xxh3 5e38b11fe1914b50",
     [] { return ext(1); }},
    {"ext4 with errors", "ext4",
     "mounted 3 times, last at 2023-11-14T22:13:20Z, last written 2159-12-22T04:41:37Z, with errors; xxh3 "
     "c720be1b93870673",
     [] { return ext(3); }},
    {"ext2 that is mounted", "ext2",
     "mounted 3 times, last at 2023-11-14T22:13:20Z, last written 2159-12-22T04:41:37Z, not cleanly unmounted; xxh3 "
     "0423f39cc1014eec",
     [] { return ext(0); }},
    {"ext3 never mounted", "ext3",
     "mounted 3 times, last at never, last written 2159-12-22T04:41:37Z, clean; xxh3 ddd1c523f6c3a0b9",
     [] { return ext(1).put(1024 + 0x2c, le32(0)); }},
    {"ext4 cut off", "ext4", "xxh3 ad5ad1212dc21139", [] { return Disk(1100); }},
    {"FAT16", "vfat", "xxh3 5b623712c0f14345", [] { return fat(512, 200); }},
    {"FAT32", "vfat", "xxh3 15015e9a8c36e3de", [] { return fat(0, 0); }},
    {"FAT cut off", "vfat", "xxh3 edc7df8bb52e411b", [] { return Disk(40); }},
    {"XFS", "xfs", "log in turn 7 at block 100; xxh3 8a93030dfb22f2bc", [] { return xfs(256 + 16, 64); }},
    {"XFS with a log elsewhere", "xfs", "xxh3 9847721f486866a1", [] { return xfs(0, 64); }},
    {"XFS with a log behind the end", "xfs", "xxh3 d39ae1d6fe27019f", [] { return xfs(256 + 16, 6400); }},
    {"btrfs", "btrfs", "generation 1234, no log; xxh3 ad72b727af13727b", [] { return btrfs(0); }},
    {"btrfs with a log", "btrfs", "generation 1234, with a log to replay; xxh3 bc1e3f099e4493e6",
     [] { return btrfs(5); }},
    {"btrfs without its magic", "btrfs", "xxh3 d46af86befe64b87", [] { return Disk(MiB); }},
    {"NTFS", "ntfs", "xxh3 8a73297dafe34969", [] { return ntfs(8, -10, 1024); }},
    {"NTFS with records of a cluster", "ntfs", "xxh3 ede02cf1d5ba1038", [] { return ntfs(8, 1, 4096); }},
    {"NTFS with clusters of 128 KiB", "ntfs",
     "table 896e2435; xxh3 549200b0588d8295",  // the first release had no table
     [] { return ntfs(0xf8, -10, 1024); }},
    {"NTFS without clusters", "ntfs", "xxh3 9bef5fe04aa6cfe3",
     [] { return ntfs(8, -10, 1024).put(13, std::uint8_t(0)); }},
    {"LUKS1", "crypto_LUKS", "xxh3 3d3d65ff46286680", [] { return luks(1, ""); }},
    {"LUKS2", "crypto_LUKS", "xxh3 d4ec8b7a71f28c43",
     [] { return luks(2, R"({"segments":{"0":{"offset":"3145728"}}})"); }},
    {"LUKS2 without an offset", "crypto_LUKS", "xxh3 ff5e4d9907e74584", [] { return luks(2, "{}"); }},
    {"LUKS2 that is damaged", "crypto_LUKS", "xxh3 7b65858a3c18ff40", [] { return luks(2, "{"); }},
    {"md", "linux_raid_member", "xxh3 7fa663cb13b8497d", [] { return Disk(MiB); }},
    {"md cut off", "linux_raid_member", "xxh3 3554cd88876f9c34", [] { return Disk(5000); }},
    {"LVM", "LVM2_member", "xxh3 7b0c7e7348bde3ff", [] { return Disk(2 * MiB); }},
    {"ZFS", "zfs_member", "xxh3 cf86063d6ec4a2da", [] { return Disk(2 * MiB); }},
    {"swap", "swap", "xxh3 d062f29c26da8cf9", [] { return Disk(2 * MiB); }},
    {"what is not known", "erofs", "xxh3 d062f29c26da8cf9", [] { return Disk(2 * MiB); }},
    {"nothing", "", "xxh3 2d06800538d394c2", [] { return Disk(0); }},
};

}  // namespace

TEST_CASE("the text of a mark is what it was in the first release") {
  for (const auto& each : cases) {
    CAPTURE(each.name);
    CHECK(each.disk().mark(marker_for(each.type)) == each.text);
  }
}

TEST_CASE("the text of a qcow2's mark is what it was in the first release") {
  const Marker marker{"qcow2", "header and tables", image::look_at_qcow2};
  const auto disk = [](std::uint32_t cluster_bits) {
    return Disk(MiB)
        .put(20, be32(cluster_bits))
        .put(36, be32(32))
        .put(40, be64(3 * 64 * KiB))
        .put(48, be64(2 * 64 * KiB))
        .put(56, be32(1));
  };
  CHECK(disk(16).mark(marker) == "xxh3 be8d597ee4c8db70");
  CHECK(disk(8).mark(marker) == "xxh3 b10b47db9c9d5075");
}

TEST_CASE("no look leaves the device where its fields are wrong") {
  std::uint64_t state = 1;
  const auto next = [&](std::uint64_t below) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return (state >> 33) % below;
  };
  for (const auto& each : cases) {
    const Disk sound = each.disk();
    for (int i = 0; i < 8; ++i) {
      CAPTURE(each.name, i);
      Disk disk = sound;
      // Where structures begin, of any kind, and what a field of them is wrong by.
      const std::size_t starts[] = {0, 1024, 4096, 64 * KiB, 66 * KiB, 272 * 4096};
      for (int fields = 0; fields < 4; ++fields) {
        const std::size_t at = starts[next(6)] + next(320);
        if (at + 8 <= disk.size()) disk.put(at, be64(next(2) ? ~0ull << next(64) : std::uint64_t(1) << next(64)));
      }
      CHECK_NOTHROW(disk.mark(marker_for(each.type)));
    }
  }
}
