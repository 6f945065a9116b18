// The fuzz target's corpus, and the harm that chance does to a sound table: each ends, and in sense.
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <random>

#include "hrvm/sys/files.hpp"
#include "unit/probe/table/partition_fixture.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

void check_sense(const std::vector<std::byte>& image) {
  const auto table = read_bytes(image);
  CHECK(table.findings.size() < 16);
  for (const Partition& partition : table.partitions) {
    CHECK(partition.size_bytes > 0);
    CHECK(partition.start_bytes + partition.size_bytes <= image.size());
  }
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
