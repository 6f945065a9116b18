// What the tests of partition tables share: disks of bytes, a table damaged on purpose, and sfdisk as the oracle.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "hrvm/base/json.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/probe/partition_table.hpp"
#include "support/disk_writer.hpp"

namespace hrvm::probe {

inline constexpr std::uint64_t mib = 1 << 20;

inline PartitionTable read_bytes(std::vector<std::byte> bytes, std::uint32_t logical_bytes = 512) {
  auto device = block::memory_device(std::move(bytes), "disk", {logical_bytes, logical_bytes});
  return read_partition_table(*device);
}

inline bool has_finding(const PartitionTable& table, std::string_view id) {
  return std::ranges::any_of(table.findings, [&](const base::Finding& finding) { return finding.id == id; });
}

// Three partitions on 8 MiB: BIOS boot, ESP, Linux.
inline test::GptDisk sample_disk(std::uint32_t sector_bytes = 512) {
  const std::uint64_t unit = mib / sector_bytes;
  return {.size_bytes = 8 * mib,
          .sector_bytes = sector_bytes,
          .partitions = {
              {.number = 1, .first_lba = unit, .last_lba = 2 * unit - 1, .type = test::type_bios_boot},
              {.number = 2, .first_lba = 2 * unit, .last_lba = 4 * unit - 1, .type = test::type_esp, .name = "esp"},
              {.number = 5, .first_lba = 4 * unit, .last_lba = 6 * unit - 1, .name = "Root disk", .attributes = 4}}};
}

}  // namespace hrvm::probe
