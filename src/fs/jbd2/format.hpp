// The journal of ext3 and ext4 as it lies on disk: Documentation/filesystems/ext4/journal.rst and include/linux/jbd2.h
// of Linux. Big-endian. The log is a ring of blocks behind the superblock.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hrvm/base/endian.hpp"

namespace hrvm::fs::jbd2 {

inline constexpr std::uint32_t journal_magic = 0xc03b3998;

enum JournalBlockType : std::uint32_t {
  journal_descriptor = 1,  // tags: where the blocks behind it belong
  journal_commit = 2,      // the transaction is whole
  journal_super_1 = 3,
  journal_super_2 = 4,
  journal_revoke = 5,  // blocks whose older copies in the log must not be written back
};

// What every block of the journal begins with but those that it keeps for the filesystem.
struct JournalHeader {
  base::be32 magic, type, sequence;
};
static_assert(sizeof(JournalHeader) == 12);

struct JournalSuper {
  JournalHeader header;
  base::be32 block_bytes, blocks;
  base::be32 first;     // block of the ring
  base::be32 sequence;  // of the first transaction to be found in the log
  base::be32 start;     // its block; 0: there is none
  base::be32 error;
  // of version 2:
  base::be32 compatible, incompatible, read_only_compatible;
  std::array<std::byte, 16> uuid;
  base::be32 users, super_copy, most_transaction_blocks, most_data_blocks;
  std::uint8_t checksum_type;
  std::array<std::byte, 3> reserved;
  base::be32 fast_commit_blocks, head;
  std::array<std::byte, 160> reserved_too;
  base::be32 checksum;
  std::array<std::byte, 768> user_ids;
};
static_assert(offsetof(JournalSuper, start) == 28);
static_assert(offsetof(JournalSuper, uuid) == 48);
static_assert(offsetof(JournalSuper, checksum_type) == 80);
static_assert(offsetof(JournalSuper, fast_commit_blocks) == 84);
static_assert(offsetof(JournalSuper, checksum) == 252);
static_assert(sizeof(JournalSuper) == 1024);

inline constexpr std::uint32_t compatible_checksum = 1;
enum JournalIncompatible : std::uint32_t {
  journal_has_revokes = 1,
  journal_64_bit = 2,
  journal_async_commit = 4,
  journal_checksum_2 = 8,
  journal_checksum_3 = 16,
  journal_fast_commit = 32,
  journal_known_incompatible = 63,
};
inline constexpr std::uint8_t journal_crc32c = 4, journal_crc32 = 1;
inline constexpr std::uint32_t default_fast_commit_blocks = 256, fewest_log_blocks = 1024;

// How long one is in the log depends on the features: with checksums of version 3 it is a Tag3, else a Tag without what
// the features do not need (8 or 12 bytes), with two unused bytes behind it under checksums of version 2.
struct Tag {
  base::be32 block;
  base::be16 checksum;  // of version 2: the lower half
  base::be16 flags;
  base::be32 block_high;  // of 64 bits
};
static_assert(sizeof(Tag) == 12);

struct Tag3 {
  base::be32 block, flags, block_high, checksum;
};
static_assert(sizeof(Tag3) == 16);

enum TagFlag : std::uint16_t {
  tag_escaped = 1,    // the block began with the magic, and has zeros there in the log
  tag_same_uuid = 2,  // else 16 bytes of a UUID follow
  tag_deleted = 4,
  tag_last = 8,
};
inline constexpr std::size_t tag_uuid_bytes = 16;

struct RevokeHeader {
  JournalHeader header;
  base::be32 bytes;  // used in this block, with this header
};
static_assert(sizeof(RevokeHeader) == 16);

// At the end of descriptors and revoke blocks, under checksums of version 2 and 3.
struct BlockTail {
  base::be32 checksum;
};

struct CommitHeader {
  JournalHeader header;
  std::uint8_t checksum_type, checksum_bytes;
  std::array<std::byte, 2> padding;
  std::array<base::be32, 8> checksum;
  base::be64 seconds;
  base::be32 nanoseconds;
  std::array<std::byte, 4> end;  // Linux rounds its struct up to 8 bytes, and counts these as the header's
};
static_assert(offsetof(CommitHeader, checksum) == 16);
static_assert(offsetof(CommitHeader, seconds) == 48);
static_assert(sizeof(CommitHeader) == 64);

// Fast commits lie behind the ring: one record after the other, little-endian.
struct FastCommitRecord {
  base::le16 type, bytes;  // behind this header
};
static_assert(sizeof(FastCommitRecord) == 4);

enum FastCommitType : std::uint16_t {
  fast_add_range = 1,
  fast_del_range = 2,
  fast_create = 3,
  fast_link = 4,
  fast_unlink = 5,
  fast_inode = 6,
  fast_padding = 7,
  fast_tail = 8,
  fast_head = 9,
};

struct FastCommitHead {
  base::le32 features, sequence;
};
struct FastCommitTail {
  base::le32 sequence, checksum;
};

// What lies at `extent` belongs to the file now. The extent is one of ext4's inodes.
struct FastCommitAddRange {
  base::le32 inode;
  std::array<std::byte, 12> extent;
};
static_assert(sizeof(FastCommitAddRange) == 16);

struct FastCommitDelRange {
  base::le32 inode, first_block, blocks;
};
static_assert(sizeof(FastCommitDelRange) == 12);

// The name follows, up to the record's end.
struct FastCommitName {
  base::le32 folder, inode;
};
static_assert(sizeof(FastCommitName) == 8);

// The inode's first bytes follow, up to the record's end: as many as one of revision 0 has, at least.
struct FastCommitInode {
  base::le32 number;
};
static_assert(sizeof(FastCommitInode) == 4);
inline constexpr std::uint16_t fewest_inode_bytes = 128;

}  // namespace hrvm::fs::jbd2
