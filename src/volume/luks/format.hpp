// LUKS as it lies on disk: "LUKS1 On-Disk Format Specification" 1.2.3 and "LUKS2 On-Disk Format Specification" 1.1.1,
// binary headers. Big-endian.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hrvm/base/endian.hpp"

namespace hrvm::volume::luks {

// Of both versions, which share what is here.
struct Header {
  std::array<std::byte, 6> magic;
  base::be16 version;
  base::be64 header_bytes;  // LUKS2: binary header and JSON area
  std::array<std::byte, 88> names_or_label;
  base::be32 payload_sector;  // LUKS1, in 512 bytes
};
static_assert(offsetof(Header, payload_sector) == 104);

inline constexpr std::uint64_t binary_header_bytes = 4096;  // of LUKS2; its JSON area follows
inline constexpr std::uint64_t sector_bytes = 512;

}  // namespace hrvm::volume::luks
