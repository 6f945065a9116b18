#include <catch2/catch.hpp>

#include "unit/probe/table/partition_fixture.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

using Bytes = std::vector<std::byte>;

Bytes disk_with(const std::vector<test::DosPartition>& partitions) {
  Bytes image(8 * mib);
  test::write_pieces({{0, test::dos_sector(partitions, 0xdeadbeef)}}, image);
  return image;
}

void put_sector(Bytes& image, std::uint64_t lba, const std::vector<test::DosPartition>& partitions) {
  test::write_pieces({{lba * 512, test::dos_sector(partitions, 0)}}, image);
}

// One primary, and an extended partition from 4096 on with two logical ones.
Bytes extended_disk() {
  auto image = disk_with({{.type = 0x83, .first_lba = 2048, .sectors = 2048, .active = true},
                          {.type = 0x0f, .first_lba = 4096, .sectors = 8192}});
  put_sector(image, 4096,
             {{.type = 0x83, .first_lba = 63, .sectors = 100}, {.type = 0x05, .first_lba = 1024, .sectors = 200}});
  put_sector(image, 5120, {{.type = 0x82, .first_lba = 63, .sectors = 100}});
  return image;
}

}  // namespace

TEST_CASE("primary DOS partitions are numbered by their slot") {
  auto image = disk_with({{}, {.type = 0x0c, .first_lba = 2048, .sectors = 4096, .active = true}});
  const auto table = read_bytes(image);
  CHECK(table.kind == TableKind::dos);
  CHECK(table.uuid == "deadbeef");
  CHECK(table.findings.empty());
  REQUIRE(table.partitions.size() == 1);
  const Partition& partition = table.partitions[0];
  CHECK(partition.number == 2);
  CHECK(partition.type == "0x0c");
  CHECK(partition.type_name == "W95 FAT32 (LBA)");
  CHECK(partition.partuuid == "deadbeef-02");
  CHECK(partition.active);
  CHECK(partition.start_bytes == mib);
  CHECK(partition.size_bytes == 2 * mib);
}

TEST_CASE("DOS tables count the device's own sectors") {
  Bytes image(8 * mib);
  test::write_pieces({{0, test::dos_sector({{.first_lba = 256, .sectors = 512}}, 1)}}, image);
  const auto table = read_bytes(image, 4096);
  REQUIRE(table.partitions.size() == 1);
  CHECK(table.partitions[0].start_bytes == mib);
  CHECK(table.partitions[0].size_bytes == 2 * mib);
}

TEST_CASE("logical partitions are numbered from 5, and lie in their extended one") {
  const auto table = read_bytes(extended_disk());
  CHECK(table.findings.empty());
  REQUIRE(table.partitions.size() == 4);
  CHECK(table.partitions[1].type == "0x0f");
  CHECK(table.partitions[2].number == 5);
  CHECK(table.partitions[2].start_bytes == (4096 + 63) * 512);
  CHECK(table.partitions[3].number == 6);
  CHECK(table.partitions[3].start_bytes == (5120 + 63) * 512);
  CHECK(table.partitions[3].type == "0x82");
}

TEST_CASE("a chain that leads back into itself ends, and is told") {
  auto image = extended_disk();
  put_sector(image, 5120, {{.first_lba = 63, .sectors = 100}, {.type = 0x05, .first_lba = 0, .sectors = 200}});
  const auto table = read_bytes(image);
  CHECK(table.partitions.size() == 4);
  CHECK(has_finding(table, "dos-chain-broken"));
}

TEST_CASE("a chain of very many links ends, and is told") {
  auto image = disk_with({{.type = 0x05, .first_lba = 100, .sectors = 16000}});
  for (std::uint32_t lba = 100; lba < 400; ++lba)
    put_sector(image, lba,
               {{.first_lba = 1000, .sectors = 1}, {.type = 0x05, .first_lba = lba + 1 - 100, .sectors = 2}});
  const auto table = read_bytes(image);
  CHECK(has_finding(table, "dos-chain-broken"));
  CHECK(table.partitions.size() == 1 + 128);
}

TEST_CASE("a chain that leads to no boot record, or off the disk, is told") {
  for (std::uint32_t next : {1100u, 0xfffffff0u}) {
    auto image = extended_disk();
    put_sector(image, 4096, {{.first_lba = 63, .sectors = 100}, {.type = 0x05, .first_lba = next, .sectors = 200}});
    const auto table = read_bytes(image);
    CHECK(has_finding(table, "dos-chain-broken"));
    CHECK(table.partitions.size() == 3);
  }
}

TEST_CASE("DOS partitions beyond the end are left out") {
  const auto table =
      read_bytes(disk_with({{.first_lba = 2048, .sectors = 0xffffffff}, {.first_lba = 16384, .sectors = 1}}));
  CHECK(table.partitions.empty());
  CHECK(has_finding(table, "partition-beyond-end"));
}

TEST_CASE("boot code is told apart from an empty boot sector") {
  auto image = disk_with({{.first_lba = 2048, .sectors = 2048}});
  CHECK_FALSE(read_bytes(image).has_boot_code);
  image[0] = std::byte{0xeb};
  CHECK(read_bytes(image).has_boot_code);
  image[510] = std::byte{0};
  CHECK_FALSE(read_bytes(image).has_boot_code);
}

TEST_CASE("entries whose status is neither active nor inactive are no table") {
  auto image = disk_with({{.first_lba = 2048, .sectors = 2048}});
  image[446 + 16] = std::byte{0x7f};
  CHECK(read_bytes(image).kind == TableKind::none);
}

TEST_CASE("nothing but the boot mark is no table") {
  Bytes image(8 * mib);
  image[510] = std::byte{0x55};
  image[511] = std::byte{0xaa};
  CHECK(read_bytes(image).kind == TableKind::none);
}

TEST_CASE("devices smaller than a sector, and empty ones, have no table") {
  for (std::size_t size : {0u, 1u, 511u, 512u, 513u, 1024u, 4096u})
    CHECK(read_bytes(Bytes(size)).kind == TableKind::none);
}

TEST_CASE("a table that leads to something known in sectors of another size alone counts in those") {
  for (const std::uint32_t bytes : {512u, 4096u}) {
    CAPTURE(bytes);
    std::vector<std::byte> image(16 * mib);
    const std::uint32_t first = mib / bytes;
    test::write_pieces({{0, test::dos_sector({{.type = 0x83, .first_lba = first, .sectors = 4096 * 512 / bytes}}, 7)},
                        {mib + 1080, {std::byte{0x53}, std::byte{0xef}}}},
                       image);
    const auto table = read_bytes(image);
    CHECK(table.sector_bytes == bytes);
    REQUIRE(table.partitions.size() == 1);
    CHECK(table.partitions[0].start_bytes == mib);
    CHECK(table.findings.empty());
  }
}
