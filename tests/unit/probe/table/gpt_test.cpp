#include <catch2/catch.hpp>

#include "unit/probe/table/partition_fixture.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

std::vector<std::byte> sample(std::uint32_t sector_bytes = 512) { return test::gpt_image(sample_disk(sector_bytes)); }

void flip(std::vector<std::byte>& image, std::size_t offset) { image.at(offset) ^= std::byte{0x40}; }
void wipe(std::vector<std::byte>& image, std::size_t offset, std::size_t length) {
  std::fill_n(image.begin() + std::ptrdiff_t(offset), length, std::byte{0});
}

void check_sample(const PartitionTable& table, std::uint32_t sector_bytes = 512) {
  CHECK(table.kind == TableKind::gpt);
  CHECK(table.sector_bytes == sector_bytes);
  CHECK(table.uuid == "01234567-89ab-4cde-8f01-23456789abcd");
  REQUIRE(table.partitions.size() == 3);
  CHECK(table.partitions[0].type_name == "BIOS boot");
  CHECK(table.partitions[1].type == test::type_esp);
  CHECK(table.partitions[1].name == "esp");
  const Partition& root = table.partitions[2];
  CHECK(root.number == 5);
  CHECK(root.start_bytes == 4 * mib);
  CHECK(root.size_bytes == 2 * mib);
  CHECK(root.name == "Root disk");
  CHECK(root.partuuid == "11111111-2222-4333-8444-000000000001");
  CHECK(root.active);
}

}  // namespace

TEST_CASE("a sound GPT is read without findings") {
  const auto table = read_bytes(sample());
  check_sample(table);
  CHECK(table.findings.empty());
  CHECK_FALSE(table.has_boot_code);
}

TEST_CASE("the sector size is found by the header's place, whatever the device says") {
  check_sample(read_bytes(sample(4096), 512), 4096);
  check_sample(read_bytes(sample(4096), 4096), 4096);
  check_sample(read_bytes(sample(512), 4096), 512);
  CHECK(read_bytes(sample(4096), 512).findings.empty());
}

TEST_CASE("a damaged primary is replaced by the backup, and told as an error") {
  for (std::uint32_t sector : {512u, 4096u})
    for (std::size_t offset : {sector + 16, sector + 56, sector + 80, 2 * sector + 32, 2 * sector + 128 * 100}) {
      auto image = sample(sector);
      flip(image, offset);
      const auto table = read_bytes(image);
      check_sample(table, sector);
      REQUIRE(table.findings.size() == 1);
      CHECK(table.findings[0].id == "gpt-backup-only");
      CHECK(table.findings[0].severity == base::Severity::error);
      CHECK(table.findings[0].subject == "disk");
    }
}

TEST_CASE("a wiped primary is replaced by the backup at the end of the disk") {
  for (std::uint32_t sector : {512u, 4096u}) {
    auto image = sample(sector);
    wipe(image, sector, 33 * std::size_t(sector));
    const auto table = read_bytes(image);
    check_sample(table, sector);
    CHECK(has_finding(table, "gpt-backup-only"));
  }
}

TEST_CASE("a damaged or missing backup is a warning") {
  auto image = sample();
  flip(image, image.size() - 512 + 60);
  CHECK(has_finding(read_bytes(image), "gpt-backup-damaged"));
  wipe(image, image.size() - 512, 512);
  const auto table = read_bytes(image);
  check_sample(table);
  REQUIRE(table.findings.size() == 1);
  CHECK(table.findings[0].id == "gpt-backup-missing");
  CHECK(table.findings[0].severity == base::Severity::warning);
}

TEST_CASE("with both copies damaged no partition is invented") {
  auto image = sample();
  flip(image, 512 + 56);
  flip(image, image.size() - 512 + 56);
  const auto table = read_bytes(image);
  CHECK(table.kind == TableKind::gpt);
  CHECK(table.partitions.empty());
  CHECK(has_finding(table, "gpt-both-damaged"));
}

TEST_CASE("a disk that was cut keeps the partitions that are whole") {
  auto image = sample();
  image.resize(5 * mib);
  const auto table = read_bytes(image);
  CHECK(has_finding(table, "gpt-disk-truncated"));
  CHECK(has_finding(table, "partition-beyond-end"));
  REQUIRE(table.partitions.size() == 2);
  CHECK(table.partitions[1].number == 2);
}

TEST_CASE("a disk that grew has its backup where the primary says") {
  auto image = sample();
  image.resize(10 * mib);
  const auto table = read_bytes(image);
  check_sample(table);
  REQUIRE(table.findings.size() == 1);
  CHECK(table.findings[0].id == "gpt-disk-grown");
}

TEST_CASE("a disk that grew and lost its primary header's checksum still has its backup found") {
  auto image = sample();
  image.resize(10 * mib);
  flip(image, 512 + 56);
  check_sample(read_bytes(image));
}

TEST_CASE("copies that are sound and differ are told") {
  auto image = sample();
  auto other = sample_disk();
  other.partitions.pop_back();
  const auto other_image = test::gpt_image(other);
  std::copy(other_image.end() - 33 * 512, other_image.end(), image.end() - 33 * 512);
  const auto table = read_bytes(image);
  check_sample(table);
  CHECK(has_finding(table, "gpt-copies-differ"));
}

TEST_CASE("a hybrid MBR is told and the GPT counts") {
  auto image = sample();
  const auto mbr =
      test::dos_sector({{.type = 0xee, .first_lba = 1, .sectors = 2047}, {.first_lba = 8192, .sectors = 4096}}, 1);
  std::copy(mbr.begin(), mbr.end(), image.begin());
  const auto table = read_bytes(image);
  check_sample(table);
  CHECK(has_finding(table, "gpt-hybrid-mbr"));
}

TEST_CASE("a GPT without a protective MBR is told, unless sector 0 says something else") {
  auto image = sample();
  wipe(image, 0, 512);
  check_sample(read_bytes(image));
  CHECK(has_finding(read_bytes(image), "gpt-protective-mbr-missing"));

  const auto mbr = test::dos_sector({{.first_lba = 2048, .sectors = 2048}}, 7);
  std::copy(mbr.begin(), mbr.end(), image.begin());
  CHECK(read_bytes(image).kind == TableKind::dos);
}

TEST_CASE("counts that the disk has no room for are damage, not memory") {
  auto disk = sample_disk();
  disk.entry_count = 5000;
  disk.size_bytes = 16 * mib;
  const auto table = read_bytes(test::gpt_image(disk));
  CHECK(table.partitions.empty());
  CHECK(has_finding(table, "gpt-both-damaged"));
}

TEST_CASE("partitions that end before they start, or beyond any disk, are left out") {
  auto disk = sample_disk();
  disk.partitions = {{.number = 1, .first_lba = 5000, .last_lba = 4000},
                     {.number = 2, .first_lba = 2048, .last_lba = ~0ull},
                     {.number = 3, .first_lba = ~0ull, .last_lba = ~0ull},
                     {.number = 4, .first_lba = 2048, .last_lba = 4095}};
  const auto table = read_bytes(test::gpt_image(disk));
  REQUIRE(table.partitions.size() == 1);
  CHECK(table.partitions[0].number == 4);
  CHECK(has_finding(table, "partition-impossible"));
  CHECK(has_finding(table, "partition-beyond-end"));
}

TEST_CASE("partitions that overlap are told, also when one lies within another") {
  auto disk = sample_disk();
  disk.partitions = {{.number = 1, .first_lba = 2048, .last_lba = 9000},
                     {.number = 2, .first_lba = 3000, .last_lba = 3100},
                     {.number = 3, .first_lba = 8000, .last_lba = 10000},
                     {.number = 4, .first_lba = 10001, .last_lba = 10002}};
  const auto table = read_bytes(test::gpt_image(disk));
  REQUIRE(table.findings.size() == 1);
  CHECK(table.findings[0].id == "partitions-overlap");
  CHECK(table.findings[0].message == "partitions overlap: p1 and p2, p1 and p3");
}
