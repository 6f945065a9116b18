// The fuzz target's corpus, and the harm that chance does to a sound table: each ends, and in sense.
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <random>

#include "hrvm/base/crc32.hpp"
#include "hrvm/block/patched_device.hpp"
#include "hrvm/probe/fit_table.hpp"
#include "hrvm/sys/files.hpp"
#include "probe/table/gpt_format.hpp"
#include "unit/probe/table/partition_fixture.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

// On a disk of another size what is patched lies within it, and no partition that there was is lost or
// written into.
void check_fits(const std::vector<std::byte>& image) {
  const auto before = read_bytes(image);
  auto source = block::memory_device(image, "disk");
  for (const std::uint64_t disk : {image.size() / 2 / 512 * 512, image.size(), image.size() + 65536}) {
    INFO(disk);
    const auto fit = fit_table(*source, disk, 512);
    for (const auto& region : fit.to_be_zero) CHECK(region.offset + region.length <= image.size());
    for (const auto& patch : fit.patches) CHECK(patch.offset + patch.bytes.size() <= disk);
    if (fit.obstacle) continue;
    for (const auto& patch : fit.patches)
      for (const auto& partition : before.partitions)
        CHECK((patch.offset + patch.bytes.size() <= partition.start_bytes ||
               patch.offset >= partition.start_bytes + partition.size_bytes));
    block::PatchedDevice picture(*source, disk, fit.patches);
    const auto after = read_partition_table(picture);
    for (const auto& partition : before.partitions)
      CHECK(std::ranges::any_of(after.partitions, [&](const Partition& other) {
        return other.start_bytes == partition.start_bytes && other.size_bytes == partition.size_bytes;
      }));
  }
}

void check_sense(const std::vector<std::byte>& image) {
  const auto table = read_bytes(image);
  CHECK(table.findings.size() < 16);
  for (const Partition& partition : table.partitions) {
    CHECK(partition.size_bytes > 0);
    CHECK(partition.start_bytes + partition.size_bytes <= image.size());
  }
  check_fits(image);
}

}  // namespace

TEST_CASE("every table of the fuzzing corpus is read in sense") {
  const std::filesystem::path corpus = HRVM_SOURCE_DIR "/tests/corpus/partition_table";
  const auto names = sys::list_directory(corpus);
  REQUIRE_FALSE(names.empty());
  for (const auto& name : names) {
    INFO(name);
    const std::string text = sys::read_file(corpus / name, 16u << 20);
    const auto bytes = std::as_bytes(std::span(text));
    check_sense({bytes.begin(), bytes.end()});
  }
}

TEST_CASE("chance harm to a table never makes a partition that is not within the disk") {
  std::mt19937 chance(1);
  const auto gpt = test::gpt_image({.size_bytes = mib / 4, .partitions = {{.first_lba = 64, .last_lba = 127}}});
  for (int round = 0; round < 500; ++round) {
    auto image = gpt;
    for (int hit = 0; hit < 4; ++hit) image[chance() % 2048] = std::byte(chance());
    image.resize(chance() % 8 == 0 ? chance() % image.size() : image.size());
    check_sense(image);
  }
}

TEST_CASE("nor does harm that has its checksums right") {
  std::mt19937 chance(2);
  const auto gpt = test::gpt_image({.size_bytes = mib / 4, .partitions = {{.first_lba = 64, .last_lba = 127}}});
  const auto some = [&]() -> std::uint64_t {
    const std::uint64_t values[] = {0,     1,         2, 33, 34, 63, 64, 127, 128, 478, 479, 511, 512, chance() % 600,
                                    ~0ull, ~0ull - 40};
    return values[chance() % std::size(values)];
  };
  for (int round = 0; round < 1000; ++round) {
    auto image = gpt;
    const auto bytes = std::span(image);
    for (const auto at : {std::size_t{512}, image.size() - 512}) {
      if (chance() % 3 == 0) continue;
      auto header = base::load<GptHeader>(image, at);
      if (chance() % 2) header.first_usable_lba = some();
      if (chance() % 2) header.last_usable_lba = some();
      if (chance() % 3 == 0) header.alternate_lba = some();
      if (chance() % 3 == 0) header.entries_lba = some();
      if (chance() % 3 == 0) header.entry_count = std::uint32_t(some());
      const auto entries = std::uint64_t(header.entries_lba) * 512;
      const auto length = std::uint64_t(header.entry_count) * 128;
      if (header.entries_lba < 512 && length <= image.size() - entries) {
        if (chance() % 2 && length != 0 && entries > 1024)
          base::store(bytes, std::size_t(entries) + 40, base::le64(some()));
        header.entries_crc = base::crc32(bytes.subspan(std::size_t(entries), std::size_t(length)));
      }
      header.header_crc = 0;
      base::store(bytes, at, header);
      header.header_crc = base::crc32(bytes.subspan(at, 92));
      base::store(bytes, at, header);
    }
    check_sense(image);
  }
}
