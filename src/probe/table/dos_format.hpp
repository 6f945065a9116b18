// The DOS boot sector with its partition table (MBR, and EBR in an extended partition), as it lies on disk.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hrvm/base/endian.hpp"

namespace hrvm::probe {

struct DosEntry {
  std::uint8_t status;  // 0x80 active, 0x00 not; anything else is no partition table
  std::array<std::uint8_t, 3> first_chs;
  std::uint8_t type;
  std::array<std::uint8_t, 3> last_chs;
  base::le32 first_lba;  // in an EBR from that EBR (data) or from the extended partition's start (next EBR)
  base::le32 sectors;    // 0: not in use
};
static_assert(sizeof(DosEntry) == 16);

struct BootSector {
  std::array<std::byte, 440> code;
  base::le32 disk_signature;
  base::le16 copy_protected;
  std::array<DosEntry, 4> entries;
  base::le16 magic;
};
static_assert(sizeof(BootSector) == 512 && offsetof(BootSector, entries) == 446);

inline constexpr std::uint16_t boot_sector_magic = 0xaa55;
inline constexpr std::uint8_t dos_type_gpt_protective = 0xee;

// The BIOS parameter block that opens a FAT, exFAT or NTFS boot sector (ECMA-107, and Microsoft's FAT specification).
struct BiosParameterBlock {
  std::array<std::uint8_t, 3> jump;
  std::array<char, 8> oem;
  base::le16 bytes_per_sector;
  std::uint8_t sectors_per_cluster;
  base::le16 reserved_sectors;
  std::uint8_t fats;
  base::le16 root_entries;
  base::le16 sectors16;
  std::uint8_t media;
  base::le16 sectors_per_fat16;
};
static_assert(sizeof(BiosParameterBlock) == 24);

}  // namespace hrvm::probe
