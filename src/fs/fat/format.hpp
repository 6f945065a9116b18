// FAT as it lies on disk: Microsoft's "FAT32 File System Specification" 1.03, sections "Boot Sector and BPB", "FAT
// Directory Structure" and "Long Directory Entries". All integers are little-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hrvm/base/endian.hpp"

namespace hrvm::fs::fat {

using base::le16;
using base::le32;

struct BootSector {
  std::array<std::uint8_t, 11> jump_and_name;
  le16 bytes_per_sector;  // 512, 1024, 2048, 4096
  std::uint8_t sectors_per_cluster;
  le16 reserved_sectors;  // before the first FAT
  std::uint8_t fats;
  le16 root_entries;      // 0 on FAT32
  le16 total_sectors_16;  // 0: total_sectors_32 counts
  std::uint8_t media;
  le16 fat_sectors_16;  // 0 on FAT32
  le16 sectors_per_track;
  le16 heads;
  le32 hidden_sectors;
  le32 total_sectors_32;
  le32 fat_sectors_32;  // from here on: FAT32 only
  le16 flags;
  le16 version;
  le32 root_cluster;
};
static_assert(sizeof(BootSector) == 48);
static_assert(offsetof(BootSector, total_sectors_32) == 32);

struct DirectoryEntry {
  std::array<std::uint8_t, 11> name;  // 8 + 3, padded with blanks
  std::uint8_t attributes;
  std::uint8_t lower_case;          // 0x08: base name, 0x10: extension (Windows NT)
  std::uint8_t created_hundredths;  // of two seconds more: 0 to 199
  le16 created_time, created_date, accessed_date;
  le16 first_cluster_high;  // 0 before FAT32
  le16 modified_time;
  le16 modified_date;
  le16 first_cluster_low;
  le32 size;
};
static_assert(sizeof(DirectoryEntry) == 32);
static_assert(offsetof(DirectoryEntry, accessed_date) == 18);
static_assert(offsetof(DirectoryEntry, first_cluster_high) == 20);

struct LongNameEntry {
  std::uint8_t order;  // from 1; 0x40 marks the last part, which lies first
  std::array<std::uint8_t, 10> part_1;
  std::uint8_t attributes;
  std::uint8_t type;
  std::uint8_t checksum;  // of the short name
  std::array<std::uint8_t, 12> part_2;
  le16 zero;
  std::array<std::uint8_t, 4> part_3;
};
static_assert(sizeof(LongNameEntry) == 32);

inline constexpr std::uint8_t attribute_read_only = 0x01, attribute_volume = 0x08, attribute_directory = 0x10,
                              attribute_long_name = 0x0f;
inline constexpr std::uint8_t attribute_mask = 0x3f;
inline constexpr std::uint8_t entry_free = 0xe5, entry_end = 0x00, entry_kanji_e5 = 0x05;
inline constexpr std::uint8_t last_long_entry = 0x40;

}  // namespace hrvm::fs::fat
