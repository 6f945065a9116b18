// LVM2 as it lies on a physical volume: lib/label/label.h, lib/format_text/layout.h of lvm2. Little-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hrvm/base/endian.hpp"

namespace hrvm::volume::lvm {

inline constexpr std::uint64_t sector_bytes = 512;      // whatever the disk's are
inline constexpr std::uint64_t label_scan_sectors = 4;  // the label lies in one of the first four
inline constexpr std::uint32_t crc_start = 0xf597a6cf;  // and nothing is inverted at the end
inline constexpr std::string_view label_id = "LABELONE";
inline constexpr std::string_view label_type = "LVM2 001";
inline constexpr std::string_view area_magic = " LVM2 x[5A%r0N*>";

struct LabelHeader {
  std::array<char, 8> id;
  base::le64 sector;         // its own
  base::le32 crc;            // from the next field to the end of the sector
  base::le32 header_offset;  // of the PvHeader, from the label on
  std::array<char, 8> type;
};
static_assert(sizeof(LabelHeader) == 32);
static_assert(offsetof(LabelHeader, header_offset) == 20);

// Two lists of DiskLocation follow, each ended by one of zeros: data areas, and metadata areas.
struct PvHeader {
  std::array<char, 32> uuid;  // without the dashes
  base::le64 device_bytes;
};
static_assert(sizeof(PvHeader) == 40);

struct DiskLocation {
  base::le64 offset;  // bytes from the start of the device
  base::le64 size;    // bytes; 0 for data: to the end
};
static_assert(sizeof(DiskLocation) == 16);

// The first sector of a metadata area; the rest is a ring of texts.
struct AreaHeader {
  base::le32 crc;  // from the next field to the end of the sector
  std::array<char, 16> magic;
  base::le32 version;  // 1
  base::le64 start;    // of this area on the device
  base::le64 size;     // of this area, header included
};
static_assert(sizeof(AreaHeader) == 40);

// Follow AreaHeader. The first is the metadata in force, the second what a change had prepared.
struct RawLocation {
  base::le64 offset;  // from the start of the area
  base::le64 size;    // of the text, its NUL included; may go round the end of the ring
  base::le32 crc;
  base::le32 flags;
};
static_assert(sizeof(RawLocation) == 24);
inline constexpr std::uint32_t location_ignored = 1;

// The start of what a snapshot stores (the kernel's drivers/md/dm-snap-persistent.c).
struct SnapshotHeader {
  base::le32 magic;
  base::le32 valid;  // 0: changes did not fit, and what was kept before is of no use
  base::le32 version;
  base::le32 chunk_sectors;
};
static_assert(sizeof(SnapshotHeader) == 16);
inline constexpr std::uint32_t snapshot_magic = 0x70416e53;

}  // namespace hrvm::volume::lvm
