#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>

#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/volume/volumes.hpp"
#include "support/failing.hpp"
#include "support/zfs_device.hpp"
#include "volume/zfs/label.hpp"

namespace hrvm::volume::test {
namespace {

using Bytes = std::vector<std::byte>;

NvPacker leaf(std::uint64_t guid, const std::string& path) {
  return NvPacker().text("type", "disk").number("guid", guid).text("path", path);
}

// A device `guid` of the pool, in the top-level vdev that is given.
std::string config(std::uint64_t guid, const NvPacker& tree, std::uint64_t tops = 1, std::uint64_t state = 0) {
  return NvPacker()
      .number("version", 5000)
      .text("name", "rpool")
      .number("state", state)
      .number("txg", 40)
      .number("pool_guid", 7)
      .number("hostid", 0x8c1f3a52)
      .text("hostname", "pve1")
      .number("top_guid", 100)
      .number("guid", guid)
      .number("vdev_children", tops)
      .list("vdev_tree", tree)
      .list("features_for_read", NvPacker().name("com.delphix:hole_birth"))
      .packed();
}

NvPacker single() { return leaf(100, "/dev/sda3").number("ashift", 9).number("asize", 5 << 20); }

NvPacker group(const std::string& type, const std::vector<NvPacker>& leaves) {
  return NvPacker()
      .text("type", type)
      .number("guid", 100)
      .number("nparity", 1)
      .number("asize", 5 << 20)
      .lists("children", leaves);
}

Assembly assemble(std::vector<Bytes> devices) {
  std::vector<std::unique_ptr<block::BlockDevice>> opened;
  std::vector<Member> members;
  for (Bytes& bytes : devices) {
    const std::string name = "p" + std::to_string(opened.size() + 1);
    members.push_back({opened.emplace_back(block::memory_device(std::move(bytes), name)).get(), name});
  }
  return assemble_zfs(members);
}

std::optional<zfs::Label> label_of(Bytes bytes) {
  return zfs::read_label(*block::memory_device(std::move(bytes), "p1"));
}

bool has_finding(const Assembly& assembly, const std::string& id) {
  return std::ranges::any_of(assembly.findings, [&](const base::Finding& finding) { return finding.id == id; });
}

}  // namespace

TEST_CASE("a pool of one device is told with its host and the last transaction that was committed") {
  const auto made = assemble({zfs_device(config(100, single()))});
  CHECK(made.findings.empty());
  REQUIRE(made.volumes.size() == 1);
  CHECK(made.volumes[0].path == "rpool");
  CHECK(made.volumes[0].kind == VolumeKind::zfs);
  CHECK(made.volumes[0].size_bytes == 5 << 20);
  CHECK(made.volumes[0].details == "one device, txg 42, last used by pve1 (host id 8c1f3a52)");
  CHECK_FALSE(made.volumes[0].device);
  CHECK_FALSE(made.volumes[0].because.empty());
}

TEST_CASE("a pool that was written by a big-endian host is read as well") {
  const auto made = assemble({zfs_device<base::ByteOrder::big>(config(100, single()))});
  REQUIRE(made.volumes.size() == 1);
  CHECK_THAT(made.volumes[0].details, Catch::Contains("txg 42"));
}

TEST_CASE("an exported pool is not told as one in use") {
  const auto made = assemble({zfs_device(config(100, single(), 1, 1))});
  REQUIRE(made.volumes.size() == 1);
  CHECK_THAT(made.volumes[0].details, Catch::Contains("exported by pve1"));
}

TEST_CASE("the newest uberblock is the newest whose checksum holds") {
  auto bytes = zfs_device(config(100, single()));
  put_uberblock(bytes, 0, 8, 43, false);
  put_uberblock(bytes, 0, 9, 17);
  const auto label = label_of(bytes);
  REQUIRE(label);
  REQUIRE(label->uberblock);
  CHECK(label->uberblock->txg == 42);
  CHECK(label->uberblock->timestamp == 1700000042);
}

TEST_CASE("where the first labels are damaged the next sound one is taken, and that is said") {
  auto bytes = zfs_device(config(100, single()));
  bytes[zfs::config_offset + 100] ^= std::byte(1);
  bytes[zfs::label_bytes + zfs::config_offset + 100] ^= std::byte(1);
  const auto made = assemble({bytes});
  CHECK(made.volumes.size() == 1);
  REQUIRE(has_finding(made, "zfs-label-damaged"));
  CHECK_THAT(made.findings[0].message, Catch::Contains("first 2 of its four"));
}

TEST_CASE("a device without a sound label is an error about that device, and no pool") {
  auto bytes = zfs_device(config(100, single()));
  for (unsigned i = 0; i < 4; ++i) bytes[i * zfs::label_bytes + zfs::config_offset + 100] ^= std::byte(1);
  const auto made = assemble({bytes});
  CHECK(made.volumes.empty());
  REQUIRE(made.findings.size() == 1);
  CHECK(made.findings[0].severity == base::Severity::error);
  CHECK(made.findings[0].subject == "p1");
  CHECK_FALSE(made.findings[0].remedy.empty());
}

TEST_CASE("the labels at the end are found on a device whose size is no multiple of theirs") {
  auto bytes = zfs_device(config(100, single()));
  bytes.resize(bytes.size() + 4096);
  for (unsigned i = 0; i < 2; ++i) bytes[i * zfs::label_bytes + zfs::config_offset + 100] ^= std::byte(1);
  CHECK(label_of(bytes));
}

TEST_CASE("a mirror with one of its devices missing can be used, and says which one is missing") {
  const auto tree = group("mirror", {leaf(1, "/dev/sda3"), leaf(2, "/dev/sdb3")});
  const auto half = assemble({zfs_device(config(1, tree))});
  REQUIRE(half.volumes.size() == 1);
  CHECK_THAT(half.volumes[0].details, Catch::StartsWith("mirror of 2"));
  REQUIRE(has_finding(half, "zfs-member-missing"));
  CHECK_THAT(half.findings[0].message, Catch::Contains("/dev/sdb3") && Catch::Contains("can be used without"));
  CHECK(assemble({zfs_device(config(1, tree)), zfs_device(config(2, tree))}).findings.empty());
}

TEST_CASE("a raidz can miss as many devices as it has parity") {
  const auto tree = group("raidz", {leaf(1, "a"), leaf(2, "b"), leaf(3, "c")});
  const auto two = assemble({zfs_device(config(1, tree)), zfs_device(config(3, tree))});
  CHECK_THAT(two.volumes.at(0).details, Catch::StartsWith("raidz1 of 3"));
  CHECK_THAT(two.findings.at(0).message, Catch::Contains("can be used without"));
  const auto one = assemble({zfs_device(config(2, tree))});
  CHECK_THAT(one.findings.at(0).message, !Catch::Contains("can be used without"));
  CHECK_FALSE(one.findings.at(0).remedy.empty());
}

TEST_CASE("top-level vdevs on other disks are counted as missing, removed ones are not") {
  const auto made = assemble({zfs_device(config(100, single(), 3))});
  CHECK_THAT(made.findings.at(0).message, Catch::Contains("2 of 3 top-level vdevs"));
  std::string with_hole = NvPacker()
                              .text("name", "rpool")
                              .number("pool_guid", 7)
                              .number("top_guid", 100)
                              .number("guid", 100)
                              .number("vdev_children", 2)
                              .numbers("hole_array", {1})
                              .list("vdev_tree", single())
                              .packed();
  CHECK(assemble({zfs_device(with_hole)}).findings.empty());
}

TEST_CASE("spares, caches and destroyed pools are no pools") {
  for (const std::uint64_t state : {2, 3, 4}) {
    const auto made = assemble({zfs_device(config(100, single(), 1, state))});
    CHECK(made.volumes.empty());
    CHECK(made.findings.size() == 1);
  }
}

TEST_CASE("an nvlist ends early, nests too deep or leaves its bytes: an error each") {
  const std::string sound = config(100, single());
  const auto parse = [](const std::string& text) { return zfs::parse_nvlist(std::as_bytes(std::span(text))); };
  CHECK(parse(sound).text("name") == "rpool");
  for (std::size_t length = 0; length < sound.size(); length += 3)
    CHECK(hrvm::test::kind_of([&] { parse(sound.substr(0, length)); }) == base::ErrorKind::corrupt);
  NvPacker deep;
  for (int i = 0; i < 40; ++i) deep = NvPacker().list("n", deep);
  CHECK(hrvm::test::kind_of([&] { parse(deep.packed()); }) == base::ErrorKind::corrupt);
}

}  // namespace hrvm::volume::test
