#include <catch2/catch.hpp>

#include <algorithm>

#include "hrvm/block/devices.hpp"
#include "probe/foreign_systems.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

Contents contents_of(const std::vector<std::string>& types) {
  Contents contents;
  contents.table = TableKind::gpt;
  for (const std::string& type : types) {
    SurveyedPartition surveyed;
    surveyed.partition.number = unsigned(contents.partitions.size() + 1);
    surveyed.partition.type = type;
    contents.partitions.push_back(surveyed);
  }
  return contents;
}

Contents booting(const std::vector<std::string>& types) {
  Contents contents = contents_of(types);
  contents.boot.bios = true;
  return contents;
}

const std::string freebsd_boot = "83bd6b9d-7f41-11dc-be0b-001560b84f0f",
                  freebsd_ufs = "516e7cb6-6ecf-11d6-8ff8-00022d09712b",
                  freebsd_zfs = "516e7cba-6ecf-11d6-8ff8-00022d09712b";

std::unique_ptr<block::BlockDevice> iso(const std::string& name) {
  std::vector<std::byte> bytes(40 << 10);
  const std::string start =
      std::string("\1CD001\1\0", 8) + std::string(32, ' ') + name + std::string(32 - name.size(), ' ');
  std::ranges::transform(start, bytes.begin() + 32768, [](char c) { return std::byte(c); });
  return block::memory_device(std::move(bytes), "disk");
}

}  // namespace

TEST_CASE("a FreeBSD that boots is told by its partitions, its UFS before its ZFS, and once only") {
  const auto systems = foreign_systems(booting({freebsd_boot, freebsd_zfs, freebsd_ufs}));
  REQUIRE(systems.size() == 1);
  CHECK(systems[0].id == "freebsd");
  CHECK(systems[0].family == SystemFamily::bsd);
  CHECK(systems[0].root == "p3");
  CHECK(foreign_systems(booting({"0xa6", "0xa9"})).size() == 2);
}

TEST_CASE("a BSD's partitions on a disk that does not boot are data") {
  CHECK(foreign_systems(contents_of({freebsd_ufs})).empty());
}

TEST_CASE("systems that are neither Linux nor Windows are told by types and filesystems, also where nothing boots") {
  struct Case {
    std::string type, filesystem, id;
    SystemFamily family = SystemFamily::unknown;
  };
  const Case cases[] = {
      {"7c3457ef-0000-11aa-aa11-00306543ecac", "apfs", "macos"},
      {"426f6f74-0000-11aa-aa11-00306543ecac", "hfsplus", "macos"},
      {"fe3a2a5d-4f32-41a7-b725-accc3285a309", "", "chromeos", SystemFamily::linux},
      {"38f428e6-d326-425d-9140-6e0ea133647c", "ext4", "android", SystemFamily::linux},
      {"49a4d17f-93a3-45c1-a0de-f50b2ebe2599", "", "android", SystemFamily::linux},
      {"9d275380-40ad-11db-bf97-000c2911d1b8", "", "esxi"},
      {"0x83", "befs", "haiku"},
      {"0xbf", "", "solaris"},
      {"48465300-0000-11aa-aa11-00306543ecac", "hfsplus", ""},  // a disk of data
      {"0x07", "ntfs", ""},
  };
  for (const Case& each : cases) {
    CAPTURE(each.type);
    auto contents = contents_of({each.type});
    contents.partitions[0].filesystem = each.filesystem;
    const auto systems = foreign_systems(contents);
    REQUIRE(systems.size() == (each.id.empty() ? 0u : 1u));
    if (each.id.empty()) continue;
    CHECK(systems[0].id == each.id);
    CHECK(systems[0].family == each.family);
    contents.systems = systems;
    CHECK(foreign_systems(contents).empty());
  }
}

TEST_CASE("a BSD that has a disk for itself is told by its label") {
  std::vector<std::byte> bytes(4096);
  CHECK_FALSE(has_disklabel(*block::memory_device(bytes, "disk")));
  for (std::size_t i = 0; i < 4; ++i) bytes[512 + i] = std::byte{std::uint8_t(0x82564557u >> (8 * i))};
  CHECK(has_disklabel(*block::memory_device(bytes, "disk")));
}

TEST_CASE("an ISO 9660 volume is told by its name, and nothing else is taken for one") {
  CHECK(iso_volume_name(*iso("Debian 12.5.0 amd64 n")) == "Debian 12.5.0 amd64 n");
  CHECK(iso_volume_name(*iso("")) == "");
  CHECK_FALSE(iso_volume_name(*block::memory_device(std::vector<std::byte>(40 << 10), "disk")));
  CHECK_FALSE(iso_volume_name(*block::memory_device(std::vector<std::byte>(32769), "disk")));
}
