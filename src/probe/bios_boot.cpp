#include "probe/bios_boot.hpp"

#include <algorithm>
#include <span>
#include <string_view>

#include <fmt/core.h>

#include "hrvm/block/copy.hpp"
#include "probe/foreign_systems.hpp"
#include "probe/table/dos_format.hpp"
#include "probe/table/partition_types.hpp"

namespace hrvm::probe {
namespace {

std::vector<std::byte> sector_at(block::BlockDevice& disk, std::uint64_t offset) {
  return offset + 512 <= disk.size() ? disk.read(offset, 512) : std::vector<std::byte>(512);
}

constexpr std::string_view self_loading_names[] = {"GRUB", "LILO"};
// Of a filesystem that begins with the disk. What mkfs writes there says that it does not boot, and has none of these.
constexpr std::string_view filesystem_names[] = {"GRUB",     "LILO",    "SYSLINUX", "LDLINUX",
                                                 "EXTLINUX", "BOOTMGR", "NTLDR",    "KERNEL  SYS"};

bool names_one_of(block::BlockDevice& disk, std::size_t bytes, std::span<const std::string_view> names) {
  const auto sector = sector_at(disk, 0);
  std::string text(bytes, '\0');
  std::ranges::transform(std::span(sector).first(bytes), text.begin(), [](std::byte byte) { return char(byte); });
  return std::ranges::any_of(names, [&](std::string_view name) { return text.find(name) != std::string::npos; });
}

// Boot code that finds its next part by itself; other code starts the boot sector of the active partition.
bool loads_by_itself(block::BlockDevice& disk) { return names_one_of(disk, 440, self_loading_names); }

// Without a partition table a BIOS starts the boot sector of the filesystem.
BiosVerdict judge_whole_disk(block::BlockDevice& disk) {
  if (names_one_of(disk, 512, filesystem_names))
    return {true, "boot code in sector 0, in the filesystem's boot sector"};
  if (has_disklabel(disk)) return {true, "boot code in sector 0, and a BSD's disk label behind it"};
  return {false, "no partition table"};
}

bool has_boot_sector(block::BlockDevice& disk, const Partition& partition) {
  return base::load<BootSector>(sector_at(disk, partition.start_bytes)).magic == boot_sector_magic;
}

BiosVerdict judge_bios_boot_partition(block::BlockDevice& disk, const Partition& partition) {
  if (block::is_zero(sector_at(disk, partition.start_bytes)))
    return {false, fmt::format("the BIOS boot partition (p{}) is empty", partition.number)};
  return {true, fmt::format("boot code in sector 0 and a BIOS boot partition (p{})", partition.number)};
}

BiosVerdict judge_active(block::BlockDevice& disk, const Partition& partition, bool self_loading) {
  if (!self_loading && !has_boot_sector(disk, partition))
    return {false, fmt::format("the active partition (p{}) has no boot sector", partition.number)};
  return {true, fmt::format("boot code in sector 0 and an active partition (p{})", partition.number)};
}

}  // namespace

BiosVerdict judge_bios_boot(block::BlockDevice& disk, const PartitionTable& table) {
  if (!table.has_boot_code) return {false, "no boot code in sector 0"};
  if (table.kind == TableKind::none) return judge_whole_disk(disk);
  const bool self_loading = loads_by_itself(disk);
  const auto bios_boot = std::ranges::find_if(table.partitions, [](const Partition& partition) {
    return partition.type == gpt_bios_boot || partition.type == gpt_freebsd_boot;
  });
  if (bios_boot != table.partitions.end()) return judge_bios_boot_partition(disk, *bios_boot);
  const auto active = std::ranges::find(table.partitions, true, &Partition::active);
  if (active != table.partitions.end()) return judge_active(disk, *active, self_loading);
  if (table.kind == TableKind::dos && self_loading && !block::is_zero(sector_at(disk, 512)))
    return {true, "boot code in sector 0 that finds the rest behind it"};
  return {false, "boot code in sector 0, but no active partition and no BIOS boot partition"};
}

}  // namespace hrvm::probe
