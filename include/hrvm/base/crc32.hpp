// CRC-32, reflected, in the three kinds that disks bear: that of ISO 3309 (GPT, UEFI 2.10 section 5.3.2; LVM with a
// start of its own) and Castagnoli's (device-mapper's metadata, btrfs, XFS).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hrvm::base {

enum class CrcPolynomial : std::uint32_t { iso = 0xedb88320, castagnoli = 0x82f63b78 };

template <CrcPolynomial polynomial>
constexpr std::array<std::uint32_t, 256> crc32_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) ? std::uint32_t(polynomial) : 0u);
    table[i] = value;
  }
  return table;
}

// Goes on from the register `crc`; nothing is inverted, neither before nor after.
template <CrcPolynomial polynomial = CrcPolynomial::iso>
std::uint32_t crc32_register(std::uint32_t crc, std::span<const std::byte> bytes) {
  static constexpr auto table = crc32_table<polynomial>();
  for (std::byte byte : bytes) crc = table[(crc ^ std::uint32_t(byte)) & 0xff] ^ (crc >> 8);
  return crc;
}

inline std::uint32_t crc32(std::span<const std::byte> bytes) { return ~crc32_register(~0u, bytes); }

}  // namespace hrvm::base
