// GPT as it lies on disk: UEFI 2.10, section 5.3. All little-endian; GUIDs in mixed-endian order.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "hrvm/base/endian.hpp"

namespace hrvm::probe {

inline constexpr std::string_view gpt_magic = "EFI PART";

struct GptHeader {
  std::array<char, 8> signature;
  base::le32 revision;
  base::le32 header_bytes;  // at least 92, at most a sector
  base::le32 header_crc;    // over header_bytes bytes, with this field zero
  base::le32 reserved;
  base::le64 my_lba;
  base::le64 alternate_lba;
  base::le64 first_usable_lba;
  base::le64 last_usable_lba;
  std::array<std::byte, 16> disk_guid;
  base::le64 entries_lba;
  base::le32 entry_count;
  base::le32 entry_bytes;  // 128 * 2^n
  base::le32 entries_crc;  // over entry_count * entry_bytes bytes
};
static_assert(sizeof(GptHeader) == 92);
static_assert(offsetof(GptHeader, header_crc) == 16 && offsetof(GptHeader, disk_guid) == 56);

struct GptEntry {
  std::array<std::byte, 16> type;  // zero: not in use
  std::array<std::byte, 16> guid;
  base::le64 first_lba;
  base::le64 last_lba;  // inclusive
  base::le64 attributes;
  std::array<char, 72> name;  // UTF-16LE, zero-terminated when shorter
};
static_assert(sizeof(GptEntry) == 128);

inline constexpr std::uint64_t gpt_legacy_bios_bootable = 1u << 2;
inline constexpr std::uint64_t gpt_no_auto = std::uint64_t(1) << 63;
// Of ChromeOS's kernels and Container Linux's /usr ("ChromiumOS disk format"): tried in this order, of four bits.
inline constexpr unsigned gpt_slot_priority_shift = 48;

}  // namespace hrvm::probe
