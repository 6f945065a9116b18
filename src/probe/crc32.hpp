// CRC-32 as GPT uses it (UEFI 2.10, section 5.3.2): the reflected polynomial of ISO 3309, as in zlib.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hrvm::probe {

constexpr std::array<std::uint32_t, 256> crc32_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) ? 0xedb88320u : 0u);
    table[i] = value;
  }
  return table;
}

inline std::uint32_t crc32(std::span<const std::byte> bytes) {
  static constexpr auto table = crc32_table();
  std::uint32_t crc = ~0u;
  for (std::byte byte : bytes) crc = table[(crc ^ std::uint32_t(byte)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

}  // namespace hrvm::probe
