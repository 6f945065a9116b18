// Folders and attributes of an XFS as they lie on disk: fs/xfs/libxfs/xfs_da_format.h of Linux. Both are files of
// blocks, some of which form a tree by the hash of names ("da": directory or attributes).
#pragma once

#include <cstddef>
#include <cstdint>

#include "hrvm/base/endian.hpp"

namespace hrvm::fs::xfs {

// --- the tree by hash
// -------------------------------------------------------------------------------------------------

// How each block of the tree begins. Version 5 has more behind it, then what the block counts.
struct HashHeader {
  base::be32 next, previous;  // blocks of the file
  base::be16 magic, unused;
};
static_assert(sizeof(HashHeader) == 12);
inline constexpr std::size_t hash_header_4 = 12, hash_header_5 = 56;

// Behind the header. A leaf of a folder has the number of its stale entries in the place of the level.
struct HashCount {
  base::be16 count, level;
};
inline constexpr std::size_t hash_entries_4 = 16, hash_entries_5 = 64;

struct HashEntry {
  base::be32 hash;     // in a node the greatest below it
  base::be32 address;  // in a node a block of the file; in a leaf where the name
                       // stands, in units of 8 bytes, 0: stale
};
static_assert(sizeof(HashEntry) == 8);

inline constexpr std::uint16_t node_magic_4 = 0xfebe, node_magic_5 = 0x3ebe;
inline constexpr unsigned deepest_hash_tree = 5;

// --- folders
// ----------------------------------------------------------------------------------------------------------

// Data lie below this offset of the folder's file; what is above it leads to them by hash, the root first.
inline constexpr std::uint64_t directory_data_end = 1ull << 35;
inline constexpr std::uint32_t block_magic_4 = 0x58443242,
                               data_magic_4 = 0x58443244;  // "XD2B", "XD2D"
inline constexpr std::uint32_t block_magic_5 = 0x58444233,
                               data_magic_5 = 0x58444433;  // "XDB3", "XDD3"
inline constexpr std::size_t data_header_4 = 16, data_header_5 = 64;
inline constexpr std::uint16_t only_leaf_magic_4 = 0xd2f1, leaf_magic_4 = 0xd2ff;
inline constexpr std::uint16_t only_leaf_magic_5 = 0x3df1, leaf_magic_5 = 0x3dff;

// What stands before a name; behind it a type, where there are types, and its own place in the last two bytes of a
// multiple of 8.
struct NameHeader {
  base::be64 inode;
  std::uint8_t length;
};
static_assert(sizeof(NameHeader) == 9);

// Free room between names.
struct FreeRoom {
  base::be16 tag, length;
};
inline constexpr std::uint16_t free_tag = 0xffff;

// At the end of a folder's only block, behind the leaf entries.
struct BlockTail {
  base::be32 count, stale;
};
static_assert(sizeof(BlockTail) == 8);

// --- attributes
// -------------------------------------------------------------------------------------------------------

// In the inode: a header, then for each its lengths and flags, its name and its value.
struct ShortAttributes {
  base::be16 bytes;
  std::uint8_t count, unused;
};
static_assert(sizeof(ShortAttributes) == 4);
struct ShortAttribute {
  std::uint8_t name_length, value_length, flags;
};
static_assert(sizeof(ShortAttribute) == 3);

inline constexpr std::uint16_t attribute_leaf_magic_4 = 0xfbee, attribute_leaf_magic_5 = 0x3bee;
inline constexpr std::size_t attribute_entries_4 = 32, attribute_entries_5 = 80;

struct AttributeEntry {
  base::be32 hash;
  base::be16 place;  // of its name, in the block
  std::uint8_t flags, unused;
};
static_assert(sizeof(AttributeEntry) == 8);

// Before the name; the value follows it.
struct LocalAttribute {
  base::be16 value_length;
  std::uint8_t name_length;
};
static_assert(sizeof(LocalAttribute) == 3);

struct RemoteAttribute {
  base::be32 value_block, value_length;  // a block of the attributes' fork
  std::uint8_t name_length;
};
static_assert(sizeof(RemoteAttribute) == 9);

inline constexpr std::uint8_t attribute_local = 1, attribute_root = 2, attribute_secure = 4, attribute_parent = 8,
                              attribute_incomplete = 0x80;
inline constexpr std::size_t remote_header_5 = 56;  // of each block of a remote value
inline constexpr std::uint64_t longest_value = 65536;

// The value of SGI_ACL_FILE and SGI_ACL_DEFAULT: a count, then these.
struct AclEntry {
  base::be32 tag, id;
  base::be16 permissions, unused;
};
static_assert(sizeof(AclEntry) == 12);

}  // namespace hrvm::fs::xfs
