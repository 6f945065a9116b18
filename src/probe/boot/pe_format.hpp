// The headers of a PE file, as far as they say what it is for and where its sections lie (Microsoft PE format).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hrvm/base/endian.hpp"

namespace hrvm::probe {

inline constexpr std::string_view dos_magic = "MZ", pe_magic{"PE\0\0", 4};
inline constexpr std::size_t pe_place = 0x3c;  // a le32 in the DOS header: where the PE header lies
inline constexpr std::uint16_t pe_machine_x86_64 = 0x8664;

struct PeHeader {
  std::array<char, 4> magic;
  base::le16 machine;
  base::le16 sections;
  std::array<base::le32, 3> time_and_symbols;
  base::le16 optional_header_bytes;
  base::le16 characteristics;
};
static_assert(sizeof(PeHeader) == 24 && offsetof(PeHeader, optional_header_bytes) == 20);

// The table of these follows the optional header.
struct PeSection {
  std::array<char, 8> name;  // filled up with NULs
  base::le32 virtual_bytes;  // what of it means something
  base::le32 address;
  base::le32 file_bytes;  // what of it lies in the file, rounded up
  base::le32 file_offset;
  std::array<base::le32, 3> relocations_and_lines;
  base::le32 characteristics;
};
static_assert(sizeof(PeSection) == 40 && offsetof(PeSection, file_offset) == 20);

}  // namespace hrvm::probe
