// The boot sector and FSInfo of FAT12, FAT16 and FAT32 lie in the reserved sectors; the second entry of the allocation
// table has the dirty flags.
#include <algorithm>

#include "fs/fat/format.hpp"
#include "fs/look_at.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/block/read_structure.hpp"

namespace hrvm::fs {
namespace {

constexpr std::uint64_t first_cluster = 2;

block::Region root_folder(const fat::BootSector& boot, std::uint64_t after_tables) {
  if (boot.root_entries != 0) return {after_tables, boot.root_entries * sizeof(fat::DirectoryEntry)};
  const std::uint64_t cluster_bytes = std::uint64_t(boot.sectors_per_cluster) * boot.bytes_per_sector;
  const std::uint64_t cluster = std::max<std::uint64_t>(boot.root_cluster, first_cluster) - first_cluster;
  return {after_tables + cluster * cluster_bytes, cluster_bytes};
}

}  // namespace

block::Look look_at_fat(block::BlockDevice& device) {
  const auto boot = block::read_structure<fat::BootSector>(device, 0);
  if (!boot) return {{{0, device.size()}}, {}};
  const std::uint64_t sector = boot->bytes_per_sector;
  const std::uint64_t table_sectors = boot->fat_sectors_16 != 0 ? boot->fat_sectors_16 : boot->fat_sectors_32;
  const std::uint64_t tables_start = boot->reserved_sectors * sector;
  const std::uint64_t one_table = table_sectors * sector;
  return {{{0, std::min(tables_start, 64 * base::KiB)},
           {tables_start, std::min(one_table, base::MiB)},
           root_folder(*boot, tables_start + boot->fats * one_table)},
          {}};
}

}  // namespace hrvm::fs
