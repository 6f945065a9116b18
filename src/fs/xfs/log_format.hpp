// The log of an XFS as it lies on disk: fs/xfs/libxfs/xfs_log_format.h of Linux. Records and operations are big-endian;
// what is within them is as the processor had it that wrote them, which is little-endian here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hrvm/base/endian.hpp"

namespace hrvm::fs::xfs {

// --- records
// ----------------------------------------------------------------------------------------------------------

inline constexpr std::uint64_t log_sector = 512;
inline constexpr std::uint32_t record_magic = 0xfeedbabe;
inline constexpr std::uint32_t bytes_of_a_header = 32768;  // of a record of version 2 that one header covers
inline constexpr std::uint32_t longest_record_bytes = 262144;
inline constexpr std::uint32_t little_endian_format = 1;

// The first four bytes of each sector of a record's body are replaced by the number of the round; this is what stood
// there.
using FirstWords = std::array<std::array<std::byte, 4>, 64>;

struct RecordHeader {
  base::be32 magic, cycle, version, bytes;
  base::be64 place, tail;  // cycle and sector in the halves
  base::le32 crc;
  base::be32 previous, operations;
  FirstWords first_words;
  base::be32 format;
  std::array<std::byte, 16> uuid;
  base::be32 most_bytes;  // of a record of this mount
};
static_assert(offsetof(RecordHeader, crc) == 32);
static_assert(offsetof(RecordHeader, first_words) == 44);
static_assert(offsetof(RecordHeader, format) == 300);
static_assert(sizeof(RecordHeader) == 324);

// For each further 32 KiB of the body one, in a sector of its own.
struct RecordHeaderMore {
  base::be32 cycle;
  FirstWords first_words;
};
static_assert(sizeof(RecordHeaderMore) == 260);

// What the checksum covers of a header, by compilers that pad it for 64 bits and such that do not.
inline constexpr std::array<std::size_t, 2> summed_header_bytes = {328, 324};

// --- operations and transactions
// --------------------------------------------------------------------------------------

struct Operation {
  base::be32 transaction, bytes;
  std::uint8_t client, flags;
  base::be16 reserved;
};
static_assert(sizeof(Operation) == 12);

inline constexpr std::uint8_t client_transaction = 0x69, client_log = 0xaa;
enum OperationFlag : std::uint8_t { op_start = 1, op_commit = 2, op_continues = 4, op_continued = 8, op_unmount = 32 };

struct TransactionHeader {
  base::le32 magic, type, transaction, items;
};
static_assert(sizeof(TransactionHeader) == 16);
inline constexpr std::uint32_t transaction_magic = 0x5452414e;  // "TRAN"

// --- items
// ------------------------------------------------------------------------------------------------------------

// How each item begins. `regions` counts this one.
struct ItemHeader {
  base::le16 type, regions;
};
static_assert(sizeof(ItemHeader) == 4);

enum ItemType : std::uint16_t {
  item_extent_free_intent = 0x1236,
  item_extent_free_done = 0x1237,
  item_inode = 0x123b,
  item_buffer = 0x123c,
  item_quota = 0x123d,
  item_quota_off = 0x123e,
  item_inode_create = 0x123f,
  item_reverse_map_intent = 0x1240,
  item_reverse_map_done = 0x1241,
  item_reference_intent = 0x1242,
  item_reference_done = 0x1243,
  item_map_intent = 0x1244,
  item_map_done = 0x1245,
  item_attribute_intent = 0x1246,
  item_attribute_done = 0x1247,
  item_exchange_intent = 0x1248,
  item_exchange_done = 0x1249,
};

// A buffer of metadata: a bit for each 128 bytes of which the item has the new ones.
struct BufferItem {
  base::le16 type, regions;
  base::le16 flags, sectors;
  base::le64 sector;
  base::le32 map_words;
};
static_assert(sizeof(BufferItem) == 20);
inline constexpr std::size_t chunk_bytes = 128;
inline constexpr std::uint16_t buffer_of_inodes = 1, buffer_cancelled = 2, buffers_of_quota = 4 | 8 | 16;

struct InodeItem {
  base::le16 type, regions;
  base::le32 fields;
  base::le16 attribute_bytes, data_bytes;
  base::le32 unused;
  base::le64 inode;
  base::le32 device;
  std::array<std::byte, 12> more;
  base::le64 sector;
  base::le32 sectors, offset;  // of the buffer that it lies in, and where in it
};
static_assert(offsetof(InodeItem, inode) == 16);
static_assert(offsetof(InodeItem, sector) == 40);
static_assert(sizeof(InodeItem) == 56);

enum InodeField : std::uint32_t {
  field_data = 0x2,
  field_extents = 0x4,
  field_tree = 0x8,
  field_device = 0x10,
  field_attribute_data = 0x40,
  field_attribute_extents = 0x80,
  field_attribute_tree = 0x100,
};
inline constexpr std::uint32_t fields_of_data = field_data | field_extents | field_tree;
inline constexpr std::uint32_t fields_of_attributes =
    field_attribute_data | field_attribute_extents | field_attribute_tree;

// A chunk of new inodes.
struct InodeCreateItem {
  base::le16 type, regions;
  base::be32 group, block, count, inode_bytes, blocks, generation;
};
static_assert(sizeof(InodeCreateItem) == 28);

// What is promised, and what says that it was done: both by the promise's number.
struct IntentItem {
  base::le16 type, regions;
  base::le32 count;
  base::le64 id;
};
static_assert(sizeof(IntentItem) == 16);

}  // namespace hrvm::fs::xfs
