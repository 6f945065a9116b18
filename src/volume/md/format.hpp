// Linux md as it lies on a member: include/uapi/linux/raid/md_p.h of Linux.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hrvm/base/endian.hpp"

namespace hrvm::volume::md {

inline constexpr std::uint32_t magic = 0xa92b4efc;
inline constexpr std::uint64_t sector_bytes = 512, super_bytes = 4096;

enum Level : std::int32_t { level_linear = -1, level_raid0 = 0, level_raid1 = 1 };

// Versions 1.0, 1.1 and 1.2, which differ in where it lies. Little-endian; sectors are of 512 bytes.
struct SuperBlock1 {
  base::le32 magic, version, features, unused;
  std::array<std::byte, 16> array_uuid;
  std::array<char, 32> name;  // "host:name", or the name alone
  base::le64 created;
  base::le32 level, layout;
  base::le64 sectors;  // of each member that are used; of RAID0 and linear arrays none
  base::le32 chunk_sectors, members, bitmap_offset;
  base::le32 new_level;
  base::le64 reshape_position;
  base::le32 member_change, new_layout, new_chunk, new_offset;
  base::le64 data_offset, data_sectors, super_offset;
  base::le64 recovered_sectors;
  base::le32 number;  // of this member, and not its role
  base::le32 corrected_reads;
  std::array<std::byte, 16> uuid;
  std::uint8_t flags, bad_blocks_shift;
  base::le16 bad_blocks_sectors;
  base::le32 bad_blocks_offset;
  base::le64 updated, events, resync_offset;
  base::le32 checksum;  // of the words up to the last role
  base::le32 roles;     // how many there are; they follow, le16 by number
  std::array<std::byte, 32> unused_too;
};
static_assert(offsetof(SuperBlock1, array_uuid) == 16);
static_assert(offsetof(SuperBlock1, level) == 72);
static_assert(offsetof(SuperBlock1, data_offset) == 128);
static_assert(offsetof(SuperBlock1, number) == 160);
static_assert(offsetof(SuperBlock1, events) == 200);
static_assert(offsetof(SuperBlock1, checksum) == 216);
static_assert(sizeof(SuperBlock1) == 256);

inline constexpr std::uint32_t most_roles = (super_bytes - sizeof(SuperBlock1)) / 2;
inline constexpr std::uint16_t first_role_of_none = 0xff00;  // spare, faulty, journal
inline constexpr std::uint32_t feature_recovering = 2, feature_reshaping = 4, feature_replacement = 16,
                               feature_raid0_layout = 4096;

// Of RAID0 whose members differ in size: whether a zone's chunks go round its members from where the zone before ended,
// or from the first.
enum Raid0Layout : std::uint32_t { layout_original = 1, layout_by_zone = 2 };

template <base::ByteOrder order>
struct Disk090 {
  using Word = base::DiskInteger<std::uint32_t, order>;
  Word number, major, minor, role, state;
  std::array<Word, 27> unused;
};

// Version 0.90, in the byte order of the machine that made it.
template <base::ByteOrder order>
struct SuperBlock090 {
  using Word = base::DiskInteger<std::uint32_t, order>;
  Word magic, major, minor, patch, used_words, uuid0, created, level, kib, disks, members, preferred_minor,
      not_persistent, uuid1, uuid2, uuid3;
  std::array<Word, 16> unused;
  Word updated, state, active, working, failed, spare, checksum;
  std::array<Word, 2> events;  // a number of 64 bits in the same order
  std::array<Word, 2> checkpoint_events;
  Word recovery_checkpoint;
  std::array<Word, 20> reshape;
  Word layout, chunk_bytes;
  std::array<Word, 62> personality;
  std::array<Disk090<order>, 27> roles;  // by number
  Disk090<order> self;
};
using AnySuperBlock090 = SuperBlock090<base::ByteOrder::little>;
static_assert(offsetof(AnySuperBlock090, uuid1) == 52);
static_assert(offsetof(AnySuperBlock090, updated) == 128);
static_assert(offsetof(AnySuperBlock090, checksum) == 152);
static_assert(offsetof(AnySuperBlock090, layout) == 256);
static_assert(offsetof(AnySuperBlock090, roles) == 512);
static_assert(offsetof(AnySuperBlock090, self) == 3968);
static_assert(sizeof(AnySuperBlock090) == super_bytes);

inline constexpr std::uint32_t reshaping_minor = 91, state_faulty = 1, state_in_sync = 4;
inline constexpr std::uint64_t reserved_090 = 64 << 10;  // at the end of a member, and what that is rounded to

}  // namespace hrvm::volume::md
