#include <catch2/catch.hpp>

#include <algorithm>

#include "hrvm/block/devices.hpp"
#include "probe/foreign_systems.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

PartitionTable table_of(const std::vector<std::string>& types) {
  PartitionTable table;
  table.kind = TableKind::gpt;
  for (const std::string& type : types) {
    Partition partition;
    partition.number = unsigned(table.partitions.size() + 1);
    partition.type = type;
    table.partitions.push_back(partition);
  }
  return table;
}

BootEvidence bios() {
  BootEvidence boot;
  boot.bios = true;
  return boot;
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
  const auto systems = foreign_systems(table_of({freebsd_boot, freebsd_zfs, freebsd_ufs}), bios());
  REQUIRE(systems.size() == 1);
  CHECK(systems[0].id == "freebsd");
  CHECK(systems[0].family == SystemFamily::bsd);
  CHECK(systems[0].root == "p3");
  CHECK(foreign_systems(table_of({"0xa6", "0xa9"}), bios()).size() == 2);
}

TEST_CASE("a BSD's partitions on a disk that does not boot are data") {
  CHECK(foreign_systems(table_of({freebsd_ufs}), {}).empty());
}

TEST_CASE("an ISO 9660 volume is told by its name, and nothing else is taken for one") {
  CHECK(iso_volume_name(*iso("Debian 12.5.0 amd64 n")) == "Debian 12.5.0 amd64 n");
  CHECK(iso_volume_name(*iso("")) == "");
  CHECK_FALSE(iso_volume_name(*block::memory_device(std::vector<std::byte>(40 << 10), "disk")));
  CHECK_FALSE(iso_volume_name(*block::memory_device(std::vector<std::byte>(32769), "disk")));
}
