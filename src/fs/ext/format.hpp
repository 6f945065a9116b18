// ext2, ext3 and ext4 as they lie on disk: Documentation/filesystems/ext4 of Linux, whose names the fields bear.
// Little-endian throughout.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hrvm/base/endian.hpp"

namespace hrvm::fs::ext {

inline constexpr std::uint64_t superblock_offset = 1024;
inline constexpr std::uint16_t superblock_magic = 0xef53;

struct SuperBlock {
  base::le32 inodes_count, blocks_count_lo, reserved_blocks_count_lo, free_blocks_count_lo, free_inodes_count;
  base::le32 first_data_block;
  base::le32 log_block_size, log_cluster_size;  // over 1024
  base::le32 blocks_per_group, clusters_per_group, inodes_per_group;
  base::le32 mounted, written;
  base::le16 mount_count, most_mounts;
  base::le16 magic, state, errors, minor_revision;
  base::le32 last_check, check_interval, creator_os;
  base::le32 revision;  // 0: none of what follows has a meaning
  base::le16 reserved_uid, reserved_gid;
  base::le32 first_inode;
  base::le16 inode_size, block_group;
  base::le32 compatible, incompatible, read_only_compatible;  // features
  std::array<std::byte, 16> uuid;
  std::array<char, 16> volume_name;
  std::array<char, 64> last_mounted;
  base::le32 algorithm_usage_bitmap;
  std::uint8_t preallocated_blocks, preallocated_directory_blocks;
  base::le16 reserved_descriptor_blocks;
  std::array<std::byte, 16> journal_uuid;
  base::le32 journal_inode, journal_device, last_orphan;
  std::array<base::le32, 4> hash_seed;
  std::uint8_t default_hash_version;
  std::uint8_t journal_backup_type;
  base::le16 descriptor_size;  // where incompatible_64bit
  base::le32 default_mount_options;
  base::le32 first_meta_group;
  base::le32 made;
  std::array<base::le32, 17> journal_blocks;  // i_block of the journal's inode, the high half of its size, the low one
  base::le32 blocks_count_hi, reserved_blocks_count_hi, free_blocks_count_hi;
  base::le16 least_extra_isize, wanted_extra_isize;
  base::le32 flags;
  std::array<std::byte, 232> statistics;    // RAID, multiple mounts, snapshots, errors, options, quota files
  std::array<base::le32, 2> backup_groups;  // where compatible_sparse_super2
  std::array<std::byte, 28> encryption;
  base::le32 checksum_seed;
  std::uint8_t written_high, mounted_high;
  std::array<std::byte, 6> high_times;
  base::le16 encoding, encoding_flags;
  base::le32 orphan_file_inode;
  std::array<std::byte, 376> reserved;
  base::le32 checksum;
};
static_assert(offsetof(SuperBlock, magic) == 0x38);
static_assert(offsetof(SuperBlock, revision) == 0x4c);
static_assert(offsetof(SuperBlock, inode_size) == 0x58);
static_assert(offsetof(SuperBlock, incompatible) == 0x60);
static_assert(offsetof(SuperBlock, algorithm_usage_bitmap) == 0xc8);
static_assert(offsetof(SuperBlock, journal_inode) == 0xe0);
static_assert(offsetof(SuperBlock, hash_seed) == 0xec);
static_assert(offsetof(SuperBlock, descriptor_size) == 0xfe);
static_assert(offsetof(SuperBlock, journal_blocks) == 0x10c);
static_assert(offsetof(SuperBlock, blocks_count_hi) == 0x150);
static_assert(offsetof(SuperBlock, flags) == 0x160);
static_assert(offsetof(SuperBlock, backup_groups) == 0x24c);
static_assert(offsetof(SuperBlock, checksum_seed) == 0x270);
static_assert(offsetof(SuperBlock, written_high) == 0x274);
static_assert(offsetof(SuperBlock, orphan_file_inode) == 0x280);
static_assert(sizeof(SuperBlock) == 1024);

inline constexpr std::uint32_t compatible_has_journal = 0x4, compatible_sparse_super2 = 0x200;

inline constexpr std::uint32_t incompatible_file_type = 0x2, incompatible_recover = 0x4,
                               incompatible_meta_groups = 0x10, incompatible_extents = 0x40, incompatible_64bit = 0x80,
                               incompatible_multiple_mounts = 0x100, incompatible_flexible_groups = 0x200,
                               incompatible_attribute_inodes = 0x400, incompatible_checksum_seed = 0x2000,
                               incompatible_large_directories = 0x4000, incompatible_inline_data = 0x8000,
                               incompatible_encrypt = 0x10000, incompatible_case_folding = 0x20000;
// All that Linux 6.12 mounts.
inline constexpr std::uint32_t known_incompatible =
    incompatible_file_type | incompatible_recover | incompatible_meta_groups | incompatible_extents |
    incompatible_64bit | incompatible_multiple_mounts | incompatible_flexible_groups | incompatible_attribute_inodes |
    incompatible_checksum_seed | incompatible_large_directories | incompatible_inline_data | incompatible_encrypt |
    incompatible_case_folding;

inline constexpr std::uint32_t read_only_sparse_super = 0x1, read_only_large_files = 0x2,
                               read_only_tree_directories = 0x4, read_only_huge_files = 0x8, read_only_bigalloc = 0x200;

inline constexpr std::uint32_t flag_unsigned_hash = 0x2;  // of the superblock: names are hashed as unsigned characters

// Short ones end before block_bitmap_hi.
struct GroupDescriptor {
  base::le32 block_bitmap_lo, inode_bitmap_lo, inode_table_lo;
  base::le16 free_blocks_count_lo, free_inodes_count_lo, directories_count_lo;
  base::le16 flags;
  base::le32 exclude_bitmap_lo;
  base::le16 block_bitmap_checksum_lo, inode_bitmap_checksum_lo, unused_inodes_lo, checksum;
  base::le32 block_bitmap_hi, inode_bitmap_hi, inode_table_hi;
};
static_assert(offsetof(GroupDescriptor, flags) == 0x12);
static_assert(offsetof(GroupDescriptor, block_bitmap_hi) == 0x20);
static_assert(offsetof(GroupDescriptor, inode_table_hi) == 0x28);
inline constexpr std::uint16_t group_without_bitmap = 0x2;  // BLOCK_UNINIT: none of its blocks is in use
inline constexpr std::size_t short_descriptor_bytes = 32, long_descriptor_bytes = 64;

inline constexpr std::uint32_t root_inode = 2;
inline constexpr std::uint32_t first_inode_of_revision_0 = 11;  // of those that are not the filesystem's own
inline constexpr std::size_t short_inode_bytes = 128;

// Of the fields behind `extra_isize` an inode has those that it covers, and at most what the filesystem's inodes hold.
struct Inode {
  base::le16 mode, uid_lo;
  base::le32 size_lo, accessed, changed, modified, deleted;
  base::le16 gid_lo, links_count;
  base::le32 blocks_lo;  // of 512 bytes, or of the filesystem where flag_huge_file
  base::le32 flags, version;
  std::array<std::byte, 60> block;  // i_block: where the data are, or the data
  base::le32 generation;
  base::le32 attribute_block_lo;  // i_file_acl
  base::le32 size_hi;
  base::le32 fragment;
  base::le16 blocks_hi, attribute_block_hi, uid_hi, gid_hi, checksum_lo, reserved;
  base::le16 extra_isize, checksum_hi;
  base::le32 changed_extra, modified_extra, accessed_extra;  // bits 0 and 1: of the seconds; above them nanoseconds
  base::le32 created, created_extra;
  base::le32 version_hi, project;
};
static_assert(offsetof(Inode, gid_lo) == 0x18);
static_assert(offsetof(Inode, flags) == 0x20);
static_assert(offsetof(Inode, block) == 0x28);
static_assert(offsetof(Inode, generation) == 0x64);
static_assert(offsetof(Inode, size_hi) == 0x6c);
static_assert(offsetof(Inode, blocks_hi) == 0x74);
static_assert(offsetof(Inode, extra_isize) == short_inode_bytes);
static_assert(offsetof(Inode, created) == 0x90);
static_assert(sizeof(Inode) == 0xa0);

inline constexpr std::uint32_t flag_encrypted = 0x800, flag_index = 0x1000, flag_huge_file = 0x40000,
                               flag_extents = 0x80000, flag_attribute_inode = 0x200000, flag_inline_data = 0x10000000,
                               flag_case_folding = 0x40000000;

// The type in an inode's mode.
inline constexpr std::uint16_t mode_type = 0xf000, mode_fifo = 0x1000, mode_character_device = 0x2000,
                               mode_directory = 0x4000, mode_block_device = 0x6000, mode_regular = 0x8000,
                               mode_symlink = 0xa000, mode_socket = 0xc000;

// A node of the tree of extents is this header, then ExtentIndex (depth > 0) or ExtentLeaf (depth 0), by first block.
struct ExtentHeader {
  base::le16 magic, entries, room, depth;
  base::le32 generation;
};
static_assert(sizeof(ExtentHeader) == 12);
inline constexpr std::uint16_t extent_magic = 0xf30a;
inline constexpr unsigned deepest_extents = 5;

struct ExtentIndex {
  base::le32 first_block, node_lo;
  base::le16 node_hi, unused;
};
static_assert(sizeof(ExtentIndex) == 12);

struct ExtentLeaf {
  base::le32 first_block;
  base::le16 length;  // more than most_written: so many less than that are allocated, and not written
  base::le16 start_hi;
  base::le32 start_lo;
};
static_assert(sizeof(ExtentLeaf) == 12);
inline constexpr std::uint16_t most_written = 32768;

// A folder's entry; its name follows. `length` leads to the next one. Inode 0: nothing there.
struct DirectoryEntryHeader {
  base::le32 inode;
  base::le16 length;
  std::uint8_t name_length, file_type;
};
static_assert(sizeof(DirectoryEntryHeader) == 8);

// The first block of a folder with a hashed index: two entries that span it (".", ".."), and in the second's room this,
// then IndexEntry, the first of which has limit and count where others have a hash.
struct IndexRoot {
  base::le32 reserved;
  std::uint8_t hash_version, length, levels, flags;
};
static_assert(sizeof(IndexRoot) == 8);
inline constexpr std::size_t index_root_offset = 24, index_root_entries = 32;
inline constexpr std::size_t index_node_entries = 8;  // behind one entry that spans the block
inline constexpr unsigned deepest_index = 3;

struct IndexEntry {
  base::le32 hash;  // the least below it; bit 0: the leaf before it ends with names of this hash too
  base::le32 block;
};
struct IndexLimit {
  base::le16 limit, count;
  base::le32 block;
};
static_assert(sizeof(IndexEntry) == 8 && sizeof(IndexLimit) == 8);
inline constexpr std::uint32_t index_block_mask = 0x0fffffff;

// Attributes lie behind the inode's fields after this magic, and in a block after this header.
inline constexpr std::uint32_t attribute_magic = 0xea020000;
struct AttributeBlockHeader {
  base::le32 magic, references, blocks, hash, checksum;
  std::array<base::le32, 3> reserved;
};
static_assert(sizeof(AttributeBlockHeader) == 32);

// The name follows, padded to 4 bytes. Four zero bytes end the list.
struct AttributeEntry {
  std::uint8_t name_length, name_index;
  base::le16 value_offset;  // from the list's begin in an inode, from the block's in a block
  base::le32 value_inode;   // not 0: the value is what this inode holds
  base::le32 value_size, hash;
};
static_assert(sizeof(AttributeEntry) == 16);

}  // namespace hrvm::fs::ext
