// btrfs as it lies on disk: include/uapi/linux/btrfs_tree.h of Linux. Little-endian throughout.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hrvm/base/endian.hpp"

namespace hrvm::fs::btrfs {

using Uuid = std::array<std::byte, 16>;
using Checksum = std::array<std::byte, 32>;

enum ChecksumType : std::uint16_t { checksum_crc32c, checksum_xxhash64, checksum_sha256, checksum_blake2b };

// Nodes and superblocks begin with their checksum, which covers all that follows.
inline constexpr std::size_t checksum_room = sizeof(Checksum);

struct DeviceItem {
  base::le64 id, total_bytes, used_bytes;
  base::le32 io_align, io_width, sector_bytes;
  base::le64 type, generation, start_offset;
  base::le32 group;
  std::uint8_t seek_speed, bandwidth;
  Uuid uuid, filesystem;
};
static_assert(sizeof(DeviceItem) == 98);

inline constexpr std::array<std::uint64_t, 3> super_offsets = {64ull << 10, 64ull << 20, 256ull << 30};
inline constexpr std::size_t super_bytes = 4096;
inline constexpr std::string_view super_magic = "_BHRfS_M";

struct SuperBlock {
  Checksum checksum;
  Uuid filesystem;
  base::le64 offset;  // its own
  base::le64 flags;
  std::array<char, 8> magic;
  base::le64 generation, root, chunk_root, log_root, unused_log_generation;
  base::le64 total_bytes, used_bytes, root_directory, devices;
  base::le32 sector_bytes, node_bytes, unused_leaf_bytes, stripe_bytes;
  base::le32 system_chunks_bytes;
  base::le64 chunk_root_generation;
  base::le64 compatible, read_only_compatible, incompatible;
  base::le16 checksum_type;
  std::uint8_t root_level, chunk_root_level, log_root_level;
  DeviceItem device;  // the one that this lies on
  std::array<char, 256> label;
  base::le64 cache_generation, uuid_tree_generation;
  Uuid metadata_uuid;  // what nodes bear, where incompatible_metadata_uuid
  std::array<std::byte, 224> unused;
  std::array<std::byte, 2048> system_chunks;  // a key and a chunk, and so on
  std::array<std::byte, 1237> unused_too;
};
static_assert(offsetof(SuperBlock, magic) == 0x40);
static_assert(offsetof(SuperBlock, devices) == 0x88);
static_assert(offsetof(SuperBlock, system_chunks_bytes) == 0xa0);
static_assert(offsetof(SuperBlock, incompatible) == 0xbc);
static_assert(offsetof(SuperBlock, checksum_type) == 0xc4);
static_assert(offsetof(SuperBlock, device) == 0xc9);
static_assert(offsetof(SuperBlock, label) == 0x12b);
static_assert(offsetof(SuperBlock, metadata_uuid) == 0x23b);
static_assert(offsetof(SuperBlock, system_chunks) == 0x32b);
static_assert(sizeof(SuperBlock) == super_bytes);

struct Feature {
  std::uint64_t bit;
  std::string_view name;
};
inline constexpr std::uint64_t incompatible_metadata_uuid = 1 << 10;
// Those that change nothing for a reader of files, or that are read: from MIXED_BACKREF to RAID1C34, SIMPLE_QUOTA.
inline constexpr std::uint64_t known_incompatible = 0xfff | 1 << 16;
inline constexpr std::array<Feature, 3> refused_features = {
    {{1 << 12, "zones"}, {1 << 13, "extent tree 2"}, {1 << 14, "a RAID stripe tree"}}};

struct DiskKey {
  base::le64 object;
  std::uint8_t type;
  base::le64 offset;
};
static_assert(sizeof(DiskKey) == 17);

// What all trees are sorted by.
struct Key {
  std::uint64_t object = 0;
  std::uint8_t type = 0;
  std::uint64_t offset = 0;
  friend auto operator<=>(const Key&, const Key&) = default;
};
inline Key key_of(const DiskKey& key) { return {key.object, key.type, key.offset}; }

enum ItemType : std::uint8_t {
  inode_item = 1,
  inode_reference = 12,
  extended_attribute = 24,  // by the hash of the name
  directory_item = 84,      // by the hash of the name
  directory_index = 96,     // by a number that grows
  extent_data = 108,
  extent_checksum = 128,
  root_item = 132,
  root_back_reference = 144,
  root_reference = 156,
  chunk_item = 228,
};

inline constexpr std::uint64_t file_tree = 5, checksum_tree = 7;
inline constexpr std::uint64_t first_subvolume = 256, last_subvolume = std::uint64_t(-256);
inline constexpr std::uint64_t root_folder = 256;  // inode of each subvolume's
// Of the folder that Linux shows where a subvolume was when a snapshot was made of what holds it; nothing is stored of
// it.
inline constexpr std::uint64_t empty_folder = 2;
inline constexpr std::uint64_t chunk_object = 256, checksum_object = std::uint64_t(-10);
inline constexpr std::uint64_t largest = ~0ull;

struct NodeHeader {
  Checksum checksum;
  Uuid filesystem;
  base::le64 logical;  // its own address
  base::le64 flags;
  Uuid chunk_tree;
  base::le64 generation, owner;
  base::le32 items;
  std::uint8_t level;  // 0: a leaf
};
static_assert(sizeof(NodeHeader) == 101);
inline constexpr unsigned deepest_tree = 8;

struct KeyPointer {
  DiskKey key;
  base::le64 logical, generation;
};
static_assert(sizeof(KeyPointer) == 33);

struct LeafItem {
  DiskKey key;
  base::le32 offset, length;  // of the data, from the end of the header
};
static_assert(sizeof(LeafItem) == 25);

struct DiskChunk {
  base::le64 length, owner, stripe_bytes, type;
  base::le32 io_align, io_width, sector_bytes;
  base::le16 stripes, sub_stripes;
};
static_assert(sizeof(DiskChunk) == 48);

struct DiskStripe {
  base::le64 device, offset;
  Uuid device_uuid;
};
static_assert(sizeof(DiskStripe) == 32);

enum ChunkType : std::uint64_t {
  chunk_system = 2,
  profile_raid0 = 1 << 3,
  profile_raid1 = 1 << 4,
  profile_dup = 1 << 5,
  profile_raid10 = 1 << 6,
  profile_raid5 = 1 << 7,
  profile_raid6 = 1 << 8,
  profile_raid1c3 = 1 << 9,
  profile_raid1c4 = 1 << 10,
};
inline constexpr std::uint64_t profile_mask = 0x7f8;

struct DiskTime {
  base::le64 seconds;
  base::le32 nanoseconds;
};

struct InodeItem {
  base::le64 generation, transaction, size, stored_bytes, block_group;
  base::le32 links, user, group, mode;
  base::le64 device;  // minor | major << 20
  base::le64 flags, sequence;
  std::array<std::byte, 32> reserved;
  DiskTime accessed, changed, modified, created;
};
static_assert(offsetof(InodeItem, mode) == 52);
static_assert(offsetof(InodeItem, modified) == 136);
static_assert(sizeof(InodeItem) == 160);

// Old ones end behind `level`.
struct RootItem {
  InodeItem inode;
  base::le64 generation, root_folder, logical, byte_limit, used_bytes, last_snapshot, flags;
  base::le32 references;
  DiskKey drop_progress;
  std::uint8_t drop_level, level;
  base::le64 generation_2;  // the other one where what follows is in force
  Uuid uuid, parent_uuid;
};
static_assert(offsetof(RootItem, logical) == 176);
static_assert(offsetof(RootItem, references) == 216);
static_assert(offsetof(RootItem, level) == 238);
static_assert(offsetof(RootItem, parent_uuid) == 263);
inline constexpr std::size_t old_root_item_bytes = 239;
inline constexpr std::uint64_t root_read_only = 1;

// The name follows, and then data.
struct DirectoryItem {
  DiskKey place;
  base::le64 transaction;
  base::le16 data_length, name_length;
  std::uint8_t type;
};
static_assert(sizeof(DirectoryItem) == 30);
enum EntryType : std::uint8_t {
  entry_regular = 1,
  entry_folder,
  entry_character_device,
  entry_block_device,
  entry_fifo,
  entry_socket,
  entry_link,
};
inline constexpr std::uint8_t entry_type_mask = 0x7f;

// The name follows.
struct InodeReference {
  base::le64 index;
  base::le16 name_length;
};
static_assert(sizeof(InodeReference) == 10);

// The name follows.
struct RootReference {
  base::le64 folder, sequence;
  base::le16 name_length;
};
static_assert(sizeof(RootReference) == 18);

// Inline, the data follow.
struct ExtentHeader {
  base::le64 generation, unpacked_bytes;
  std::uint8_t compression, encryption;
  base::le16 encoding;
  std::uint8_t type;
};
static_assert(sizeof(ExtentHeader) == 21);
enum ExtentType : std::uint8_t { extent_inline, extent_regular, extent_reserved };
enum CompressionType : std::uint8_t { compression_none, compression_zlib, compression_lzo, compression_zstd };

struct ExtentPlace {
  base::le64 logical, stored_bytes;  // 0: a hole
  base::le64 offset, bytes;          // of what the file shows, within what it unpacks to
};
static_assert(sizeof(ExtentPlace) == 32);

// Of a compressed extent, packed and unpacked (BTRFS_MAX_COMPRESSED, BTRFS_MAX_UNCOMPRESSED).
inline constexpr std::uint64_t most_compressed_bytes = 128 << 10;

}  // namespace hrvm::fs::btrfs
