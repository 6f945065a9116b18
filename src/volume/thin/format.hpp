// The metadata of a thin pool as they lie on disk: drivers/md/dm-thin-metadata.c and drivers/md/persistent-data of
// Linux. Little-endian; blocks of 4096 bytes, each with a CRC-32C of its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hrvm/base/endian.hpp"

namespace hrvm::volume::thin {

inline constexpr std::size_t block_bytes = 4096;
inline constexpr std::uint64_t superblock_magic = 27022010;
inline constexpr std::uint32_t superblock_salt = 160774, node_salt = 121107;

struct Superblock {
  base::le32 crc;  // of what follows it in the block; XORed with the salt, not complemented
  base::le32 flags;
  base::le64 block;  // 0
  std::array<std::byte, 16> uuid;
  base::le64 magic;
  base::le32 version;  // 1 or 2
  base::le32 time;
  base::le64 transaction;
  base::le64 held_root;
  std::array<std::byte, 128> data_space_map, metadata_space_map;
  base::le64 mapping_root;  // a tree by device id, of roots of trees by block of the volume
  base::le64 details_root;  // a tree by device id
  base::le32 data_block_sectors;
  base::le32 metadata_block_sectors;
  base::le64 metadata_blocks;
};
static_assert(offsetof(Superblock, magic) == 32);
static_assert(offsetof(Superblock, mapping_root) == 320);
static_assert(sizeof(Superblock) == 352);

struct Node {
  base::le32 crc;
  base::le32 flags;
  base::le64 block;  // its own
  base::le32 entries, most_entries;
  base::le32 value_bytes;
  base::le32 padding;
  // most_entries keys, then as many values
};
static_assert(sizeof(Node) == 32);
inline constexpr std::uint32_t node_internal = 1, node_leaf = 2;

// A mapping's value: the block of the pool's data, and when it was made.
inline constexpr unsigned mapping_time_bits = 24;

}  // namespace hrvm::volume::thin
