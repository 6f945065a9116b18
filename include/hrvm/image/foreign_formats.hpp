// What other hypervisors' images begin or end with. All counts and offsets are hostile until a reader has held them
// against the file.
//
//   VDI   VirtualBox (src/VBox/Storage/VDICore.h)
//   VHD   Virtual PC, Hyper-V, Azure: Microsoft's "Virtual Hard Disk Image Format Specification" of 2006
//   VHDX  Hyper-V: [MS-VHDX]
//   VMDK  VMware's "Virtual Disk Format 5.0"
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "hrvm/base/endian.hpp"
#include "hrvm/block/block_device.hpp"

namespace hrvm::image {

struct VdiHeader {
  std::array<char, 64> text;
  base::le32 magic, version;
  base::le32 header_bytes, type, flags;
  std::array<char, 256> comment;
  base::le32 map_offset, data_offset;
  std::array<base::le32, 3> geometry;
  base::le32 sector_bytes, unused;
  base::le64 disk_bytes;
  base::le32 block_bytes, extra_bytes;  // the second precede each block
  base::le32 blocks, blocks_stored;
  std::array<std::uint8_t, 16> id, snapshot_id, link_id, parent_id;
};
static_assert(sizeof(VdiHeader) == 456 && offsetof(VdiHeader, map_offset) == 340 &&
              offsetof(VdiHeader, disk_bytes) == 368);

inline constexpr std::uint32_t vdi_magic = 0xbeda107f, vdi_version = 0x00010001, vdi_differencing = 4;

// A footer ends a VHD; images that grow begin with a copy of it.
struct VhdFooter {
  std::array<char, 8> cookie;  // "conectix"
  base::be32 features, version;
  base::be64 header_offset;
  base::be32 time;
  std::array<char, 4> creator;
  base::be32 creator_version, creator_system;
  base::be64 original_bytes, current_bytes;
  base::be16 cylinders;
  std::uint8_t heads, sectors;
  base::be32 type;
  base::be32 checksum;  // the complement of the sum of all bytes but these
  std::array<std::byte, 444> rest;
};
static_assert(sizeof(VhdFooter) == 512 && offsetof(VhdFooter, type) == 60);

enum VhdType : std::uint32_t { vhd_fixed = 2, vhd_dynamic = 3, vhd_differencing = 4 };

// The copy that an image which grows begins with, sound or not; else the one that ends a file, where it is sound and,
// of a fixed image, tells the size of what lies before it: a raw disk may end in a copy of anything. nullopt for no
// VHD.
std::optional<VhdFooter> find_vhd_footer(block::BlockDevice& file);
bool is_sound(const VhdFooter& footer);
// Whether QEMU takes all of the disk: of some makers' images it counts cylinders, which can be less.
bool is_taken_whole(const VhdFooter& footer);

struct VmdkHeader {
  std::array<char, 4> magic;  // "KDMV"
  base::le32 version, flags;
  base::le64 capacity_sectors, grain_sectors;
  base::le64 descriptor_lba, descriptor_sectors;  // 0 where the descriptor is a file of its own
  base::le32 entries_of_a_table;
  base::le64 redundant_directory_lba, directory_lba, overhead_sectors;
  std::uint8_t unclean;
  std::array<char, 4> line_ends;  // as they are, unless something took the file for a text
  base::le16 compression;         // 1: deflate, of stream-optimized ones
};
static_assert(sizeof(VmdkHeader) == 79 && offsetof(VmdkHeader, compression) == 77);

inline constexpr std::string_view vhd_cookie = "conectix", vhdx_magic = "vhdxfile", vmdk_magic = "KDMV";

}  // namespace hrvm::image
