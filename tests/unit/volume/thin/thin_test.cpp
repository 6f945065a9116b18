// Thin pools whose metadata thin_restore has written.
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <random>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/sys/files.hpp"
#include "support/run_program.hpp"
#include "support/temporary_directory.hpp"
#include "volume/thin/pool.hpp"

namespace hrvm::volume::test {
namespace {

using Bytes = std::vector<std::byte>;
using Mapping = std::map<std::uint64_t, std::uint64_t>;  // block of the volume, block of the data

constexpr std::uint64_t chunk = 64 * base::KiB, data_blocks = 40'000;

std::string xml_of(const std::map<unsigned, Mapping>& devices) {
  std::string xml = "<superblock uuid=\"\" time=\"3\" transaction=\"9\" data_block_size=\"128\" nr_data_blocks=\"" +
                    std::to_string(data_blocks) + "\">\n";
  for (const auto& [id, mapping] : devices) {
    xml += "<device dev_id=\"" + std::to_string(id) + "\" mapped_blocks=\"" + std::to_string(mapping.size()) +
           "\" transaction=\"0\" creation_time=\"1\" snap_time=\"2\">\n";
    for (const auto& [block, place] : mapping)
      xml += "<single_mapping origin_block=\"" + std::to_string(block) + "\" data_block=\"" + std::to_string(place) +
             "\" time=\"" + std::to_string(block % 3) + "\"/>\n";
    xml += "</device>\n";
  }
  return xml + "</superblock>\n";
}

Bytes metadata_of(const std::map<unsigned, Mapping>& devices) {
  const hrvm::test::TemporaryDirectory folder;
  folder.write("pool.xml", xml_of(devices));
  folder.write("metadata", "");
  std::filesystem::resize_file(folder / "metadata", 8 * base::MiB);
  hrvm::test::run_program({"thin_restore", "-q", "-i", folder / "pool.xml", "-o", folder / "metadata"});
  return block::open_device(folder / "metadata")->read(0, 8 * base::MiB);
}

// A pool's data, each block of which bears its number in every sector; nothing is stored.
class NumberedBlocks : public block::BlockDevice {
 public:
  using BlockDevice::read;
  std::uint64_t size() const override { return data_blocks * chunk; }
  void read(std::uint64_t offset, std::span<std::byte> out) override {
    REQUIRE(offset + out.size() <= size());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::byte((offset + i) / chunk >> (i % 4 * 8));
  }
  const std::string& name() const override { return name_; }

 private:
  std::string name_ = "data";
};

std::uint64_t block_read(block::BlockDevice& device, std::uint64_t block) {
  return base::load<base::le32>(device.read(block * chunk, 4));
}

Mapping random_mapping(std::mt19937_64& random, std::vector<std::uint64_t>& places, std::size_t count) {
  Mapping mapping;
  std::uint64_t block = 0;
  while (count-- != 0 && !places.empty()) {
    block += random() % 4 == 0 ? random() % 50 + 1 : 1;
    mapping[block] = places.back();
    places.pop_back();
  }
  return mapping;
}

// Runs in order and places by chance, by turns, as snapshots and discards leave them.
std::vector<std::uint64_t> all_places(std::mt19937_64& random) {
  std::vector<std::uint64_t> places(data_blocks);
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = data_blocks - 1 - i;
  std::shuffle(places.begin(), places.begin() + data_blocks / 2, random);
  return places;
}

}  // namespace

TEST_CASE("a thin volume shows each block from where the pool's metadata say that it lies, and zeros between them") {
  std::mt19937_64 random(7);
  auto places = all_places(random);
  std::map<unsigned, Mapping> devices;
  devices[1] = random_mapping(random, places, 12'000);
  devices[2] = {};
  devices[7] = random_mapping(random, places, 20'000);
  auto metadata = block::memory_device(metadata_of(devices), "metadata");
  NumberedBlocks data;
  ThinPool pool(*metadata, data);
  CHECK(pool.block_bytes() == chunk);
  CHECK_FALSE(pool.root_of(3));
  for (const auto& [id, mapping] : devices) {
    CAPTURE(id);
    const auto root = pool.root_of(id);
    REQUIRE(root);
    const auto last = mapping.empty() ? 0 : mapping.rbegin()->first;
    ThinVolume volume(pool, *root, (last + 100) * chunk, "thin");
    std::uint64_t expected_at = 0;
    for (std::uint64_t at = 0; at < volume.size();) {
      const auto extent = volume.extent_at(at);
      REQUIRE(extent.offset == at);
      REQUIRE(extent.length % chunk == 0);
      for (auto block = at / chunk; block < (at + extent.length) / chunk; ++block) {
        const auto found = mapping.find(block);
        REQUIRE((extent.kind == block::ExtentKind::data) == (found != mapping.end()));
        if (found != mapping.end()) REQUIRE(block_read(volume, block) == found->second);
      }
      expected_at += extent.length;
      at += extent.length;
    }
    CHECK(expected_at == volume.size());
  }
}

TEST_CASE("a read goes over the borders of blocks and holes") {
  auto metadata = block::memory_device(metadata_of({{1, {{1, 10}, {2, 11}, {4, 3}}}}), "metadata");
  NumberedBlocks data;
  ThinPool pool(*metadata, data);
  ThinVolume volume(pool, pool.root_of(1).value(), 5 * chunk + 512, "thin");
  const auto all = volume.read(0, 5 * chunk + 512);
  const auto number = [&](std::uint64_t offset) { return base::load<base::le32>(all, offset); };
  CHECK(number(0) == 0);
  CHECK(number(chunk) == 10);
  CHECK(number(2 * chunk) == 11);
  CHECK(number(3 * chunk - 4) == 11);
  CHECK(number(3 * chunk) == 0);
  CHECK(number(4 * chunk) == 3);
  CHECK(number(5 * chunk + 508) == 0);
  CHECK(volume.read(2 * chunk - 8, 16) == Bytes(all.begin() + 2 * chunk - 8, all.begin() + 2 * chunk + 8));
  CHECK_THROWS_AS(volume.read(5 * chunk, 513), base::Error);
}

TEST_CASE("damaged metadata of a pool are refused where they are met") {
  const auto whole = metadata_of({{1, {{0, 1}, {1, 2}, {9, 5}}}});
  NumberedBlocks data;
  std::size_t refused = 0;
  for (std::size_t block = 0; block * 4096 < whole.size(); ++block) {
    auto bytes = whole;
    bytes[block * 4096 + 40] ^= std::byte{4};
    auto metadata = block::memory_device(std::move(bytes), "metadata");
    try {
      ThinPool pool(*metadata, data);
      const auto root = pool.root_of(1);
      REQUIRE(root);
      const auto run = pool.find(*root, 9);
      CHECK(run.data_block == 5u);
    } catch (const base::Error& error) {
      CHECK(error.kind() == base::ErrorKind::corrupt);
      ++refused;
    }
  }
  CHECK(refused == 3);  // superblock, tree of volumes, tree of blocks
  auto none = block::memory_device(Bytes(100), "metadata");
  CHECK_THROWS_AS(ThinPool(*none, data), base::Error);
}

}  // namespace hrvm::volume::test
