// NTFS as it lies on disk: fs/ntfs3/ntfs.h of Linux. All integers are little-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hrvm/base/endian.hpp"

namespace hrvm::fs::ntfs {

struct BootSector {
  std::array<std::byte, 11> jump_and_name;
  base::le16 sector_bytes;
  std::uint8_t sectors_per_cluster;  // from least_power_of_sectors on the power of two that it is, negative
  std::array<std::byte, 34> unused;
  base::le64 table_cluster, mirror_cluster;
  std::int8_t record_size;  // clusters; negative: the power of two of its bytes
  std::array<std::byte, 3> reserved;
  std::int8_t index_record_size;
};
static_assert(offsetof(BootSector, table_cluster) == 48);
static_assert(offsetof(BootSector, record_size) == 64);
static_assert(offsetof(BootSector, index_record_size) == 68);
inline constexpr unsigned least_power_of_sectors = 0xf4;

// Of a record in the master file table.
struct RecordHeader {
  std::array<std::byte, 16> magic_and_log_place;
  base::le16 sequence;  // tells the files apart that had this record one after the other; never 0
  base::le16 links;     // a name for DOS is one of its own
  base::le16 first_attribute;
  base::le16 flags;
  base::le32 used_bytes, bytes;
  base::le64 base_record;  // of a record that another one continues in
};
static_assert(offsetof(RecordHeader, first_attribute) == 20);
static_assert(sizeof(RecordHeader) == 40);
inline constexpr std::uint16_t record_is_directory = 2;

// Of an attribute that lies in its record, or in clusters. Offsets are bytes from its start.
struct AttributeHeader {
  base::le32 type;
  base::le32 length;  // with what follows
  std::uint8_t non_resident, name_length;
  base::le16 name_offset;
  base::le16 flags, instance;
};
static_assert(sizeof(AttributeHeader) == 16);

struct ResidentAttribute {
  AttributeHeader header;
  base::le32 value_length;
  base::le16 value_offset;
  base::le16 indexed;
};
static_assert(sizeof(ResidentAttribute) == 24);

struct NonResidentAttribute {
  AttributeHeader header;
  base::le64 first_cluster, last_cluster;  // of the attribute's own, that its runs map
  base::le16 runs_offset;
  std::array<std::byte, 6> compression_unit;
  base::le64 allocated_bytes, bytes, initialized_bytes;  // where first_cluster is 0
};
static_assert(offsetof(NonResidentAttribute, runs_offset) == 32);
static_assert(sizeof(NonResidentAttribute) == 64);

inline constexpr std::uint32_t attribute_data = 0x80, attribute_end = 0xffffffff;

// A file's name in one folder.
struct FileName {
  base::le64 folder;
  std::array<std::byte, 48> times_and_sizes;
  base::le32 file_attributes, reparse_tag;
  std::uint8_t length, type;
};
static_assert(sizeof(FileName) == 66);
inline constexpr std::uint8_t name_for_dos = 2;  // beside one for Windows

// The root of a folder's B+tree; entries follow. What it has no room for lies in blocks.
struct IndexRoot {
  base::le32 type, collation;
  base::le32 block_bytes;
};
static_assert(sizeof(IndexRoot) == 12);

inline constexpr std::uint32_t file_is_read_only = 1, file_is_reparse_point = 0x400;

inline constexpr std::uint64_t log_file_record = 2, root_record = 5;
inline constexpr std::uint64_t first_user_record = 24;  // metafiles before it

}  // namespace hrvm::fs::ntfs
