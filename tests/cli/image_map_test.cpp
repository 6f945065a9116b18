#include <catch2/catch.hpp>

#include "cli/machine_fixture.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/sys/files.hpp"
#include "support/disk_writer.hpp"

using namespace hrvm;
using test::MachineStore;

namespace {

// Three images: the base, what the guest wrote before the snapshot, and after it.
std::string make_chain(MachineStore& store) {
  store.add("web");
  store.guest_writes("web", 2 << 20, 'A');
  store.guest_writes("web", 3 << 20, 'A');
  store.snapshot("web", "fresh");
  store.guest_writes("web", 3 << 20, 'C');
  return store.machine("web").active_layer();
}

}  // namespace

TEST_CASE("a map tells a person, a program and a script the same") {
  MachineStore store;
  const auto image = make_chain(store);
  auto transcript = store.transcript("image/map");
  const auto map = store.json({"image", "map", image});
  for (const auto& layer : map["layers"].items()) {
    const auto name = sys::Path(*layer["path"].text()).stem().string();
    transcript.replace(name, name == "base" ? name : "LAYER");
  }
  for (const auto* rendering : {"--quiet", "--plain", "--json"})
    CHECK(transcript.run({"image", "map", image, rendering}) == 0);
  transcript.check();
}

TEST_CASE("the pieces of a map follow each other without a gap and end with the disk") {
  MachineStore store;
  const auto map = store.json({"image", "map", make_chain(store)});
  std::uint64_t end = 0;
  for (const auto& extent : map["extents"].items()) {
    CHECK(extent["start_bytes"] == end);
    end += *extent["size_bytes"].unsigned_integer();
  }
  CHECK(map["virtual_bytes"] == end);
}

TEST_CASE("the map of an empty file is valid JSON without extents") {
  MachineStore store;
  const auto file = store.folder().write("empty", "");
  const auto map = store.json({"image", "map", file});
  CHECK(map["layers"].items().size() == 1);
  CHECK(map["extents"] == base::Json::array());
}

TEST_CASE("a map that runs into damage fails and says where") {
  MachineStore store;
  const auto image = make_chain(store);
  const auto bytes = sys::read_file(image, 16 << 20);
  const auto at = [&](std::uint64_t offset) {
    return base::load<base::be64>(std::as_bytes(std::span(bytes)), std::size_t(offset));
  };
  constexpr std::uint64_t l1_table_offset = 40, offset_bits = 0x00fffffffffffe00, l2_entry_bytes = 16;
  const base::be64 beyond = 0x8000'0000'4000'0000;
  const auto entry = (at(at(l1_table_offset)) & offset_bits) + (3 << 20) / (128 << 10) * l2_entry_bytes;
  test::write_at(image, entry, std::as_bytes(std::span(&beyond, 1)));
  CHECK(store.run({"image", "map", image}) == 1);
  CHECK(store.host().err.str().find("leads to 0x40000000") != std::string::npos);
}
