// What is told of disks that Windows spreads its volumes over.
#include "probe/windows_sets.hpp"

#include <catch2/catch.hpp>

#include "hrvm/block/devices.hpp"

using namespace hrvm;
using namespace hrvm::probe;

namespace {

PartitionTable table_of(const std::string& type) {
  PartitionTable table;
  table.kind = TableKind::gpt;
  Partition partition;
  partition.number = 2;
  partition.start_bytes = 4096;
  partition.size_bytes = 8192;
  partition.type = type;
  table.partitions = {partition};
  return table;
}

std::vector<base::Finding> told(const std::string& type, std::uint64_t head_at) {
  std::vector<std::byte> bytes(64 << 10);
  const auto put = [&](std::uint64_t at, std::string_view text) {
    std::ranges::transform(text, bytes.begin() + std::ptrdiff_t(at), [](char c) { return std::byte(c); });
  };
  if (head_at != 0) {
    put(head_at, "PRIVHEAD");
    put(head_at + 0xf0, "HOST-Dg0");
  }
  return windows_sets(*block::memory_device(bytes, "disk"), table_of(type));
}

}  // namespace

TEST_CASE("a dynamic disk is told with its group, on a DOS table and on a GPT") {
  for (const auto& [type, at] : {std::pair<std::string, std::uint64_t>{"0x42", 3072},
                                 {"5808c8aa-7e8f-42e0-85d2-e1e90434cfb3", 4096 + 8192 - 512}}) {
    const auto findings = told(type, at);
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].id == "windows-dynamic-disk");
    CHECK_THAT(findings[0].message, Catch::Contains("of the group HOST-Dg0"));
    CHECK(told(type, 0).at(0).id == "windows-dynamic-disk");
  }
}

TEST_CASE("a member of Storage Spaces is told, and other disks of Windows are not") {
  CHECK(told("e75caf8f-f680-4cee-afa3-b001e56efc2d", 0).at(0).id == "windows-storage-space");
  CHECK(told("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", 0).empty());
}
