// CRC-32 of ISO 3309 from the highest bit on, by which a journal sums up a transaction (checksums of version 1).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hrvm::fs::jbd2 {

constexpr std::array<std::uint32_t, 256> crc32_be_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i << 24;
    for (int bit = 0; bit < 8; ++bit) value = (value << 1) ^ (value >> 31 ? 0x04c11db7u : 0u);
    table[i] = value;
  }
  return table;
}

// Goes on from the register `crc`; nothing is inverted, neither before nor after.
inline std::uint32_t crc32_be(std::uint32_t crc, std::span<const std::byte> bytes) {
  static constexpr auto table = crc32_be_table();
  for (std::byte byte : bytes) crc = table[(crc >> 24) ^ std::uint32_t(byte)] ^ (crc << 8);
  return crc;
}

}  // namespace hrvm::fs::jbd2
