// XFS as it lies on disk: fs/xfs/libxfs/xfs_format.h of Linux. Big-endian, with few exceptions. Folders and attributes
// have a header of their own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hrvm/base/endian.hpp"

namespace hrvm::fs::xfs {

inline constexpr std::uint32_t super_magic = 0x58465342;  // "XFSB"

struct SuperBlock {
  base::be32 magic;
  base::be32 block_bytes;
  base::be64 data_blocks, realtime_blocks, realtime_extents;
  std::array<std::byte, 16> uuid;
  base::be64 log_start;  // 0: the log lies on another device
  base::be64 root_inode, realtime_bitmap_inode, realtime_summary_inode;
  base::be32 realtime_extent_blocks;
  base::be32 group_blocks;  // of an allocation group
  base::be32 groups;
  base::be32 realtime_bitmap_blocks;
  base::be32 log_blocks;
  base::be16 version;  // and features of version 4
  base::be16 sector_bytes, inode_bytes, inodes_per_block;
  std::array<char, 12> name;
  std::uint8_t block_log, sector_log, inode_log, inodes_per_block_log, group_blocks_log;
  std::array<std::byte, 67> unused;
  std::uint8_t directory_block_log;
  std::array<std::byte, 7> unused_too;
  base::be32 features2, bad_features2;
  base::be32 compatible, read_only_compatible, incompatible,
      log_incompatible;  // of version 5
  base::le32 crc;
  std::array<std::byte, 20> more;
  std::array<std::byte, 16> metadata_uuid;  // where incompatible_metadata_uuid
};
static_assert(offsetof(SuperBlock, log_start) == 48);
static_assert(offsetof(SuperBlock, version) == 100);
static_assert(offsetof(SuperBlock, block_log) == 120);
static_assert(offsetof(SuperBlock, directory_block_log) == 192);
static_assert(offsetof(SuperBlock, features2) == 200);
static_assert(offsetof(SuperBlock, incompatible) == 216);
static_assert(offsetof(SuperBlock, metadata_uuid) == 248);

inline constexpr unsigned version_mask = 0xf,
                          version_ignores_case = 0x4000;  // ASCII letters, in folders
inline constexpr std::uint32_t feature2_file_types = 0x200;
// Incompatible features that only tell where something lies, all of them known: FTYPE, SPINODES, META_UUID, BIGTIME,
// NEEDSREPAIR, NREXT64, EXCHRANGE, PARENT, METADIR.
inline constexpr std::uint32_t known_incompatible = 0x1ff;
inline constexpr std::uint32_t incompatible_file_types = 1, incompatible_metadata_uuid = 4;

struct DiskInode {
  base::be16 magic;  // "IN"
  base::be16 mode;
  std::uint8_t version, format;
  base::be16 links_of_version_1;
  base::be32 uid, gid;
  base::be32 links;
  base::be16 project_low, project_high;
  base::be64 many_extents;                 // where flag2_many_extents
  base::be64 accessed, modified, changed;  // seconds and nanoseconds of 32 bits each, or as flag2_big_time
  base::be64 size;
  base::be64 blocks;
  base::be32 extent_size;
  base::be32 extents;  // where flag2_many_extents those of the attributes
  base::be16 attribute_extents;
  std::uint8_t fork_offset;  // of the attributes, in units of 8 bytes; 0: there are none
  std::uint8_t attribute_format;
  std::array<std::byte, 6> management;
  base::be16 flags;
  base::be32 generation, next_unlinked;
  // of version 3:
  base::le32 crc;
  base::be64 change_count, log_place, flags2;
  std::array<std::byte, 16> more;
  base::be64 created;
  base::be64 number;  // its own
  std::array<std::byte, 16> uuid;
};
static_assert(offsetof(DiskInode, uid) == 8);
static_assert(offsetof(DiskInode, links) == 16);
static_assert(offsetof(DiskInode, many_extents) == 24);
static_assert(offsetof(DiskInode, modified) == 40);
static_assert(offsetof(DiskInode, size) == 56);
static_assert(offsetof(DiskInode, fork_offset) == 82);
static_assert(offsetof(DiskInode, flags) == 90);
static_assert(offsetof(DiskInode, crc) == 100);
static_assert(offsetof(DiskInode, flags2) == 120);
static_assert(offsetof(DiskInode, created) == 144);
static_assert(offsetof(DiskInode, number) == 152);
static_assert(sizeof(DiskInode) == 176);

inline constexpr std::uint16_t inode_magic = 0x494e;
inline constexpr std::size_t most_inode_bytes = 2048;
inline constexpr std::size_t inode_bytes_before_version_3 = 100;
inline constexpr std::uint16_t flag_realtime = 1;
inline constexpr std::uint64_t flag2_big_time = 1 << 3, flag2_many_extents = 1 << 4;
enum Format : std::uint8_t { format_device = 0, format_local = 1, format_extents = 2, format_btree = 3 };

// 1 bit: not written; 54: block of the file; 52: block of the filesystem; 21: how many.
struct ExtentRecord {
  base::be64 high, low;
};
static_assert(sizeof(ExtentRecord) == 16);

// The root of the tree of a fork's extents, in the inode. Keys follow, and as many block numbers as there is room for.
struct TreeRoot {
  base::be16 level, count;
};
static_assert(sizeof(TreeRoot) == 4);

// A block of that tree. Version 5 has more in its header.
struct TreeBlock {
  base::be32 magic;  // "BMAP", in version 5 "BMA3"
  base::be16 level, count;
  base::be64 left, right;
};
static_assert(sizeof(TreeBlock) == 24);
inline constexpr std::uint32_t tree_magic_4 = 0x424d4150, tree_magic_5 = 0x424d4133;
inline constexpr std::size_t tree_header_5 = 72;

// In version 5 each extent of a symbolic link's target begins with one.
inline constexpr std::size_t link_header_5 = 56;
inline constexpr std::uint64_t longest_link = 1024;

}  // namespace hrvm::fs::xfs
