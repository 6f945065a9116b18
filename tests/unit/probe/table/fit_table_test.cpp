#include "hrvm/probe/fit_table.hpp"

#include <catch2/catch.hpp>

#include "hrvm/base/crc32.hpp"
#include "hrvm/block/patched_device.hpp"
#include "probe/table/dos.hpp"
#include "probe/table/gpt.hpp"
#include "unit/probe/table/partition_fixture.hpp"

using namespace hrvm;
using namespace hrvm::probe;
using Catch::Matchers::Contains;

namespace {

using Bytes = std::vector<std::byte>;

std::unique_ptr<block::BlockDevice> device_of(Bytes bytes, std::uint32_t sector = 512) {
  return block::memory_device(std::move(bytes), "disk", {sector, sector});
}

TableFit fit(const Bytes& image, std::uint64_t disk_bytes, std::uint32_t sector = 512) {
  return fit_table(*device_of(image, sector), disk_bytes, sector);
}

// What a disk of this size holds then.
Bytes fitted(const Bytes& image, std::uint64_t disk_bytes, std::uint32_t sector = 512) {
  auto source = device_of(image, sector);
  auto fit = fit_table(*source, disk_bytes, sector);
  REQUIRE_FALSE(fit.obstacle);
  block::PatchedDevice picture(*source, disk_bytes, fit.patches);
  return picture.block::BlockDevice::read(0, std::size_t(disk_bytes));
}

// Both copies are sound, at both ends, and say the same.
void check_whole(const Bytes& image, std::uint32_t sector = 512) {
  auto device = device_of(image, sector);
  const auto gpt = find_gpt(*device);
  REQUIRE(gpt);
  REQUIRE(gpt->primary.good());
  REQUIRE(gpt->backup.good());
  const auto last = image.size() / sector - 1;
  CHECK(gpt->backup_lba == last);
  CHECK(gpt->primary.entries == gpt->backup.entries);
  CHECK(gpt->primary.header.last_usable_lba == gpt->backup.header.last_usable_lba);
  CHECK(gpt->primary.header.last_usable_lba + 1 == gpt->backup.header.entries_lba);
  CHECK(gpt->backup.header.alternate_lba == 1);
  const auto table = read_partition_table(*device);
  CHECK(table.findings.empty());
  CHECK(table.partitions.size() == 3);
  const auto mbr = base::load<BootSector>(image);
  CHECK(mbr.entries[0].sectors == std::uint32_t(last));
}

void flip(Bytes& image, std::size_t offset) { image.at(offset) ^= std::byte{0x40}; }

Bytes dos_image(std::uint64_t size, const std::vector<test::DosPartition>& partitions) {
  Bytes image(size);
  const auto sector = test::dos_sector(partitions, 0x1234);
  std::ranges::copy(sector, image.begin());
  return image;
}

}  // namespace

TEST_CASE("a sound GPT stays as it is on a disk of its size") {
  for (const std::uint32_t sector : {512u, 4096u}) {
    const auto same = fit(test::gpt_image(sample_disk(sector)), 8 * mib, sector);
    CHECK_FALSE(same.obstacle);
    CHECK(same.patches.empty());
    CHECK(same.note.empty());
  }
}

TEST_CASE("on a larger disk the second copy of a GPT goes to its end, and the protective MBR covers it") {
  for (const std::uint32_t sector : {512u, 4096u})
    for (const auto size : {8 * mib + 4096, 9 * mib, 40 * mib}) {
      const auto image = fitted(test::gpt_image(sample_disk(sector)), size, sector);
      check_whole(image, sector);
      // Nothing is left of the one in the middle.
      if (size > 9 * mib) CHECK(image[8 * mib - sector] == std::byte{0});
    }
}

TEST_CASE("on a smaller disk it does as well, where all behind its end is in no partition") {
  for (const std::uint32_t sector : {512u, 4096u}) {
    const auto image = test::gpt_image(sample_disk(sector));
    check_whole(fitted(image, 7 * mib, sector), sector);
    // What has to be zero for it leaves the old copy out, and begins where the new one does.
    const auto entries = std::uint64_t{128} * 128;
    const auto regions = fit(image, 7 * mib, sector).to_be_zero;
    REQUIRE(regions.size() == 1);
    CHECK(regions[0].offset == 7 * mib - entries - sector);
    CHECK(regions[0].offset + regions[0].length == 8 * mib - entries - sector);
  }
}

TEST_CASE("a smaller disk does not take a partition that ends behind its end, or in its last sectors") {
  const auto image = test::gpt_image(sample_disk());
  CHECK_THAT(fit(image, 5 * mib).obstacle.value(), Contains("ends behind the end"));
  CHECK_THAT(fit(image, 6 * mib).obstacle.value(), Contains("reaches into the last sectors"));
  CHECK_FALSE(fit(image, 6 * mib + 33 * 512).obstacle);
  CHECK(fit(image, 512).obstacle);
}

TEST_CASE("a smaller disk takes no table that cannot be relied on, and no disk without one") {
  auto image = test::gpt_image(sample_disk());
  flip(image, 512 + 56);
  CHECK_THAT(fit(image, 7 * mib).obstacle.value(), Contains("cannot be relied on"));
  flip(image, image.size() - 512 + 56);
  CHECK(fit(image, 7 * mib).obstacle);
  CHECK_THAT(fit(Bytes(8 * mib), 7 * mib).obstacle.value(), Contains("without a partition table"));
}

TEST_CASE("a copy that is damaged, missing or elsewhere is written anew from the sound one") {
  for (const auto size : {8 * mib, 9 * mib}) {
    auto primary = test::gpt_image(sample_disk());
    flip(primary, 512 + 56);
    check_whole(fitted(primary, size));
    auto entries = test::gpt_image(sample_disk());
    flip(entries, 1024 + 40);
    check_whole(fitted(entries, size));
    auto backup = test::gpt_image(sample_disk());
    std::fill(backup.end() - 512, backup.end(), std::byte{0});
    check_whole(fitted(backup, size));
    // It was copied to this larger disk before, and nobody moved it.
    auto grown = test::gpt_image(sample_disk());
    grown.resize(size + mib);
    check_whole(fitted(grown, size + mib));
    check_whole(fitted(grown, size + 2 * mib));
  }
}

TEST_CASE("a GPT of which nothing is sound, or that has no room for its second copy, stays as it is and that is told") {
  auto damaged = test::gpt_image(sample_disk());
  flip(damaged, 512 + 56);
  flip(damaged, damaged.size() - 512 + 56);
  CHECK(fit(damaged, 9 * mib).patches.empty());
  CHECK_THAT(fit(damaged, 9 * mib).note, Contains("neither copy"));
  auto disk = sample_disk();
  disk.partitions[2].last_lba = ~0ull;
  const auto beyond = fit(test::gpt_image(disk), 9 * mib);
  CHECK(beyond.patches.empty());
  CHECK_THAT(beyond.note, Contains("ends behind the end"));
}

TEST_CASE("the partitions of a hybrid MBR stay as they are") {
  auto image = test::gpt_image(sample_disk());
  const auto mbr =
      test::dos_sector({{.type = 0xee, .first_lba = 1, .sectors = 2047}, {.first_lba = 8192, .sectors = 4096}}, 1);
  std::ranges::copy(mbr, image.begin());
  const auto after = fitted(image, 9 * mib);
  CHECK(std::equal(after.begin(), after.begin() + 512, image.begin()));
}

TEST_CASE("what a header has behind the fields that are known stays, and its checksum covers it") {
  auto image = test::gpt_image(sample_disk());
  for (const auto at : {std::size_t{512}, image.size() - 512}) {
    auto header = base::load<GptHeader>(image, at);
    header.header_bytes = 512;
    header.header_crc = 0;
    image[at + 500] = std::byte{'x'};
    base::store(std::span(image), at, header);
    header.header_crc = base::crc32(std::span(image).subspan(at, 512));
    base::store(std::span(image), at, header);
  }
  const auto after = fitted(image, 9 * mib);
  check_whole(after);
  CHECK(after[512 + 500] == std::byte{'x'});
  CHECK(after[after.size() - 12] == std::byte{'x'});
}

TEST_CASE("sectors of 512 and of 4096 bytes are not mixed") {
  CHECK_THAT(fit_table(*device_of(test::gpt_image(sample_disk(512))), 8 * mib, 4096).obstacle.value(),
             Contains("sectors of 512 bytes"));
  CHECK_THAT(fit_table(*device_of(test::gpt_image(sample_disk(4096)), 4096), 8 * mib, 512).obstacle.value(),
             Contains("sectors of 4096 bytes"));
}

TEST_CASE("a DOS table needs nothing on a larger disk, and on a smaller one room for its partitions") {
  const auto image = dos_image(8 * mib, {{.first_lba = 2048, .sectors = 4096}});
  CHECK(fit(image, 20 * mib).patches.empty());
  CHECK_FALSE(fit(image, 20 * mib).obstacle);
  const auto smaller = fit(image, 4 * mib);
  CHECK_FALSE(smaller.obstacle);
  REQUIRE(smaller.to_be_zero.size() == 1);
  CHECK(smaller.to_be_zero[0].offset == 4 * mib);
  CHECK(smaller.to_be_zero[0].length == 4 * mib);
  CHECK_THAT(fit(image, 3 * mib - 512).obstacle.value(), Contains("ends at"));
  CHECK_FALSE(fit(image, 3 * mib).obstacle);
}

TEST_CASE("a confined child gives the same answer") {
  const auto image = test::gpt_image(sample_disk());
  for (const auto size : {5 * mib, 7 * mib, 8 * mib, 9 * mib}) {
    const auto here = fit(image, size), there = fit_table_confined(*device_of(image), size, 512);
    CHECK(here.obstacle == there.obstacle);
    REQUIRE(here.patches.size() == there.patches.size());
    for (std::size_t i = 0; i < here.patches.size(); ++i) {
      CHECK(here.patches[i].offset == there.patches[i].offset);
      CHECK(here.patches[i].bytes == there.patches[i].bytes);
    }
    CHECK(here.to_be_zero.size() == there.to_be_zero.size());
  }
}
