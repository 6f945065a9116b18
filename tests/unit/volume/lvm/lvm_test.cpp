#include <catch2/catch.hpp>

#include "hrvm/base/error.hpp"
#include "hrvm/volume/volumes.hpp"
#include "support/lvm_disk.hpp"
#include "volume/lvm/text.hpp"

namespace hrvm::volume::test {
namespace {

// Physical volumes, and what is put together of them.
class Disks {
 public:
  block::BlockDevice& add(Bytes bytes) {
    const auto name = "p" + std::to_string(devices_.size() + 1);
    devices_.push_back(block::memory_device(std::move(bytes), name));
    members_.push_back({devices_.back().get(), name});
    return *devices_.back();
  }
  Assembly assemble() { return assemble_lvm(members_); }

 private:
  std::vector<std::unique_ptr<block::BlockDevice>> devices_;
  std::vector<Member> members_;
};

Assembly assembled(Disks& disks, const std::string& logical_volumes, unsigned pvs = 1) {
  const auto text = group_text(pvs, logical_volumes);
  for (unsigned i = 0; i < pvs; ++i) {
    auto bytes = pv_bytes(i);
    put_metadata(bytes, text);
    disks.add(std::move(bytes));
  }
  return disks.assemble();
}

std::uint64_t mark_at(block::BlockDevice& device, std::uint64_t offset) {
  return base::load<base::le64>(device.read(offset, 8));
}

const Volume& volume(const Assembly& assembly, const std::string& path) {
  for (const auto& each : assembly.volumes)
    if (each.path == path) return each;
  throw std::runtime_error("there is no volume " + path);
}

}  // namespace

TEST_CASE("a linear volume shows its segments one after the other, wherever they lie") {
  Disks disks;
  const auto made = assembled(disks, lv_text("a", {linear(0, 2, "pv1", 7), linear(2, 3, "pv0", 1)}), 2);
  CHECK(made.findings.empty());
  REQUIRE(made.volumes.size() == 1);
  const auto& a = volume(made, "vg/a");
  CHECK(a.kind == VolumeKind::lvm);
  CHECK(a.size_bytes == 5 * extent_bytes);
  REQUIRE(a.device);
  CHECK(a.device->size() == a.size_bytes);
  CHECK(mark_at(*a.device, 0) == place(1, 7));
  CHECK(mark_at(*a.device, 2 * extent_bytes - 512) == place(1, 8, 127));
  CHECK(mark_at(*a.device, 2 * extent_bytes) == place(0, 1));
  CHECK(mark_at(*a.device, 5 * extent_bytes - 512) == place(0, 3, 127));
  const auto both = a.device->read(2 * extent_bytes - 512, 1024);
  CHECK(base::load<base::le64>(both, 512) == place(0, 1));
  CHECK_THROWS_AS(a.device->read(5 * extent_bytes - 8, 16), base::Error);
}

TEST_CASE("stripes go round the areas") {
  Disks disks;
  const auto stripes = segment_text(0, 4, "type = \"striped\"\nstripe_size = 32\nstripes = [\"pv0\", 2, \"pv1\", 5]");
  const auto made = assembled(disks, lv_text("s", {stripes}), 2);
  auto& device = *volume(made, "vg/s").device;
  constexpr std::uint64_t stripe = 32 * 512;
  CHECK(mark_at(device, 0) == place(0, 2));
  CHECK(mark_at(device, stripe) == place(1, 5));
  CHECK(mark_at(device, 2 * stripe) == place(0, 2, 32));
  CHECK(mark_at(device, 3 * stripe + 512) == place(1, 5, 33));
  CHECK(mark_at(device, 4 * extent_bytes - 512) == place(1, 6, 127));
  Bytes all(4 * extent_bytes);
  device.read(0, all);
  for (std::uint64_t at = 0; at < all.size(); at += 512) {
    const auto number = at / stripe;
    REQUIRE(base::load<base::le64>(all, at) ==
            place(number % 2, number % 2 ? 5 : 2, number / 2 * 32 + at % stripe / 512));
  }
}

TEST_CASE("a mirror shows the leg that is there") {
  const auto raid1 = segment_text(0, 2, "type = \"raid1\"\nraids = [\"m_rmeta_0\", \"m_0\", \"m_rmeta_1\", \"m_1\"]");
  const auto mirror = segment_text(0, 2, "type = \"mirror\"\nmirrors = [\"m_0\", 0, \"m_1\", 0]");
  const auto legs = lv_text("m_0", {linear(0, 2, "pv0", 4)}, false) + lv_text("m_1", {linear(0, 2, "pv1", 9)}, false);
  for (const auto& kind : {raid1, mirror}) {
    CAPTURE(kind);
    const auto text = group_text(2, lv_text("m", {kind}) + legs);
    Disks both, second;
    for (unsigned i : {0u, 1u}) {
      auto bytes = pv_bytes(i);
      put_metadata(bytes, text);
      both.add(bytes);
      if (i == 1) second.add(bytes);
    }
    const auto whole = both.assemble();
    REQUIRE(whole.volumes.size() == 1);
    CHECK(mark_at(*volume(whole, "vg/m").device, 512) == place(0, 4, 1));
    const auto half = second.assemble();
    CHECK(mark_at(*volume(half, "vg/m").device, 512) == place(1, 9, 1));
    REQUIRE(half.findings.size() == 1);
    CHECK(half.findings[0].id == "lvm-member-missing");
    CHECK(half.findings[0].message.find("pv0") != std::string::npos);
    CHECK(whole.sets.at(0).missing.empty());
    REQUIRE(half.sets.at(0).missing.size() == 1);
    CHECK(half.sets[0].missing[0].starts_with("pv0"));
  }
}

TEST_CASE("a volume on a physical volume that is not here is named with the reason, and the others are read") {
  const auto text =
      group_text(2, lv_text("here", {linear(0, 1, "pv0", 0)}) + lv_text("gone", {linear(0, 1, "pv1", 0)}));
  Disks disks;
  auto bytes = pv_bytes(0);
  put_metadata(bytes, text);
  disks.add(std::move(bytes));
  const auto made = disks.assemble();
  CHECK(volume(made, "vg/here").device);
  CHECK_FALSE(volume(made, "vg/gone").device);
  CHECK(volume(made, "vg/gone").because.find("pv1") != std::string::npos);
}

TEST_CASE("kinds that are not read are named, and a snapshot's store is not taken for its volume") {
  Disks disks;
  const auto made = assembled(
      disks,
      lv_text("fast", {segment_text(0, 2, "type = \"cache+METADATA_FORMAT\"\norigin = \"o\"")}) +
          lv_text("root", {linear(0, 2, "pv0", 0)}) + lv_text("before", {linear(0, 1, "pv0", 5)}, false) +
          lv_text("snapshot0", {segment_text(0, 2, "type = \"snapshot\"\norigin = \"root\"\ncow_store = \"before\"")},
                  false));
  CHECK(volume(made, "vg/fast").because == "it is of LVM's kind 'cache'");
  CHECK(volume(made, "vg/root").device);
  CHECK_FALSE(volume(made, "vg/before").device);
  CHECK(volume(made, "vg/before").because.empty());
  CHECK(volume(made, "vg/before").details == "snapshot of root");
  CHECK(made.volumes.size() == 3);
}

TEST_CASE("a snapshot that ran out of room is told to be lost") {
  const auto text = group_text(
      1, lv_text("root", {linear(0, 2, "pv0", 0)}) + lv_text("before", {linear(0, 1, "pv0", 5)}, false) +
             lv_text("snapshot0",
                     {segment_text(0, 2, "type = \"snapshot\"\norigin = \"root\"\ncow_store = \"before\"")}, false));
  for (const std::uint32_t valid : {0u, 1u}) {
    auto bytes = pv_bytes(0);
    put_metadata(bytes, text);
    put(bytes, first_extent * 512 + 5 * extent_bytes, lvm::SnapshotHeader{lvm::snapshot_magic, valid, 1u, 8u});
    Disks disks;
    disks.add(std::move(bytes));
    const auto made = disks.assemble();
    CHECK((volume(made, "vg/before").details == "snapshot of root") == (valid == 1));
  }
}

TEST_CASE("the metadata in force are those that the area's header names, also where they go round its end") {
  auto bytes = pv_bytes(0);
  put_metadata(bytes, group_text(1, lv_text("old", {linear(0, 1, "pv0", 0)}), 9), 512);
  put_metadata(bytes, group_text(1, lv_text("new", {linear(0, 1, "pv0", 3)}), 10), area_bytes - 100);
  Disks disks;
  disks.add(std::move(bytes));
  const auto made = disks.assemble();
  REQUIRE(made.volumes.size() == 1);
  CHECK(made.volumes[0].path == "vg/new");
  CHECK(mark_at(*made.volumes[0].device, 0) == place(0, 3));
}

TEST_CASE("of several copies the newest counts, and a damaged one is told of") {
  Disks disks;
  auto older = pv_bytes(0), newer = pv_bytes(1), damaged = pv_bytes(2);
  put_metadata(older, group_text(3, lv_text("old", {linear(0, 1, "pv0", 0)}), 4));
  put_metadata(newer, group_text(3, lv_text("new", {linear(0, 1, "pv0", 0)}), 5));
  put_metadata(damaged, group_text(3, lv_text("bad", {linear(0, 1, "pv0", 0)}), 6));
  damaged[area_offset + 700] ^= std::byte{1};
  disks.add(older);
  disks.add(newer);
  disks.add(damaged);
  const auto made = disks.assemble();
  REQUIRE(made.volumes.size() == 1);
  CHECK(made.volumes[0].path == "vg/new");
  REQUIRE(made.findings.size() == 1);
  CHECK(made.findings[0].id == "lvm-metadata-damaged");
  CHECK(made.findings[0].subject == "p3");
}

TEST_CASE("what cannot be is a reason or a finding") {
  struct Case {
    std::string volumes;
    std::string reason;  // of vg/x; empty: a finding about the whole group
  };
  const Case cases[] = {
      {lv_text("x", {linear(0, 1, "pv0", 0), linear(3, 1, "pv0", 1)}), ""},
      {lv_text("x", {linear(0, 0, "pv0", 0)}), ""},
      {lv_text("x", {segment_text(0, 1, "type = \"striped\"\nstripes = [\"pv0\", -1]")}), ""},
      {lv_text("x", {segment_text(0, 1, "type = \"striped\"")}), "a striped segment has no stripes"},
      {lv_text("x", {segment_text(0, 2, "type = \"striped\"\nstripe_size = 0\nstripes = [\"pv0\", 0, \"pv0\", 1]")}),
       "stripes of a size that cannot be"},
      {lv_text("x", {linear(0, 1, "nothing", 0)}), "the volume group lacks a volume that it names: nothing"},
      {lv_text("x", {linear(0, 1, "x", 0)}), "logical volumes are made of each other without end"},
      {lv_text("x", {}), "vg/x has no segments"},
      {lv_text("x", {segment_text(0, 1, "type = \"thin\"\nthin_pool = \"x\"")}), "x is no thin pool"},
  };
  for (const auto& [volumes, reason] : cases) {
    CAPTURE(volumes);
    Disks disks;
    const auto made = assembled(disks, volumes);
    if (reason.empty()) {
      REQUIRE(made.findings.size() == 1);
      CHECK(made.findings[0].severity == base::Severity::error);
      CHECK(made.volumes.empty());
    } else {
      CHECK(volume(made, "vg/x").because == reason);
    }
  }
}

TEST_CASE("a volume that leaves its physical volume is corrupt where it is read") {
  Disks disks;
  const auto made = assembled(disks, lv_text("x", {linear(0, 4, "pv0", 38)}));
  auto& device = *volume(made, "vg/x").device;
  CHECK(mark_at(device, extent_bytes) == place(0, 39));
  CHECK_THROWS_AS(device.read(2 * extent_bytes, 512), base::Error);
  CHECK_FALSE(device.raw_location());
}

TEST_CASE("any byte of label, header and text may be wrong: nothing is invented, and nothing breaks") {
  const auto text = group_text(1, lv_text("a", {linear(0, 2, "pv0", 1)}));
  auto whole = pv_bytes(0);
  put_metadata(whole, text);
  const auto used = area_offset + 512 + text.size();
  for (std::uint64_t at = 512; at < used; ++at) {
    if (at == 1024) at = area_offset;
    auto bytes = whole;
    bytes[at] ^= std::byte{0x20};
    Disks disks;
    disks.add(std::move(bytes));
    const auto made = disks.assemble();
    CAPTURE(at);
    for (const auto& each : made.volumes) REQUIRE(each.path == "vg/a");
  }
}

TEST_CASE("metadata text: comments, lists, escapes, numbers; and what is no such text is refused") {
  using lvm::parse_text;
  const auto text =
      parse_text("# first\na = 1 b=\"x\\\"y\" c { d = [1, \"two\",] e = -3 f = 0.5 }\nc2 {}\n" + std::string(3, '\0'));
  CHECK(text.number("a") == 1);
  CHECK(text.text("b") == "x\"y");
  REQUIRE(text.section("c"));
  CHECK(text.section("c")->list("d").size() == 2);
  CHECK_FALSE(text.section("c")->number("e"));
  CHECK(text.section("c")->text("f") == "0.5");
  CHECK(text.sections().size() == 2);
  for (const std::string bad : {"a", "a =", "a = [1", "a = \"x", "a {", "}", "a = [1 2]", "= 3",
                                "a { b { c { d { e { f { "
                                "g { h { i { j { k {}}}}}}}}}}}",
                                "a = (", "a = [[1]]"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_text(bad), base::Error);
  }
  CHECK_THROWS_AS(parse_text(std::string(100'000, '{')), base::Error);
}

}  // namespace hrvm::volume::test
