// FAT12, FAT16, FAT32: Microsoft's FAT specification, sections 3 and 5. The boot sector and FSInfo lie in the reserved
// sectors; the second entry of the allocation table has the dirty flags.
#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "machine/drift/disk_structure.hpp"
#include "machine/drift/marks.hpp"

namespace hrvm::machine {
namespace {

struct BootSector {
  std::array<std::byte, 11> jump_and_name;
  base::le16 sector_bytes;
  std::uint8_t sectors_per_cluster;
  base::le16 reserved_sectors;
  std::uint8_t tables;
  base::le16 root_entries;  // 0: FAT32
  std::array<std::byte, 3> size_and_media;
  base::le16 table_sectors;  // 0: FAT32
  std::array<std::byte, 12> disk_geometry;
  base::le32 table_sectors_32;
  std::array<std::byte, 4> flags_and_version;
  base::le32 root_cluster;
};
static_assert(offsetof(BootSector, sector_bytes) == 11);
static_assert(offsetof(BootSector, table_sectors_32) == 36);
static_assert(offsetof(BootSector, root_cluster) == 44);

constexpr std::uint64_t directory_entry_bytes = 32, first_cluster = 2;

Region root_folder(const BootSector& boot, std::uint64_t after_tables) {
  if (boot.root_entries != 0) return {after_tables, boot.root_entries * directory_entry_bytes};
  const std::uint64_t cluster_bytes = std::uint64_t(boot.sectors_per_cluster) * boot.sector_bytes;
  const std::uint64_t cluster = std::max<std::uint64_t>(boot.root_cluster, first_cluster) - first_cluster;
  return {after_tables + cluster * cluster_bytes, cluster_bytes};
}

}  // namespace

Look look_at_fat(block::BlockDevice& device) {
  const auto boot = read_structure<BootSector>(device, 0);
  if (!boot) return {{{0, device.size()}}, {}};
  const std::uint64_t sector = boot->sector_bytes;
  const std::uint64_t table_sectors = boot->table_sectors != 0 ? boot->table_sectors : boot->table_sectors_32;
  const std::uint64_t tables_start = boot->reserved_sectors * sector;
  const std::uint64_t one_table = table_sectors * sector;
  return {{{0, std::min(tables_start, 64 * base::KiB)},
           {tables_start, std::min(one_table, base::MiB)},
           root_folder(*boot, tables_start + boot->tables * one_table)},
          {}};
}

}  // namespace hrvm::machine
