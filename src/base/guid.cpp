#include "hrvm/base/guid.hpp"

#include <fmt/core.h>

#include "hrvm/base/text.hpp"

namespace hrvm::base {

namespace {

// Where byte i of the text order lies in the mixed-endian order. The permutation is its own inverse.
constexpr std::array<std::size_t, 16> mixed_endian_place{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

constexpr bool is_dash_place(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

Guid Guid::from_mixed_endian(std::span<const std::byte, 16> on_disk) {
  Guid guid;
  for (std::size_t i = 0; i < 16; ++i) guid.bytes[i] = std::uint8_t(on_disk[mixed_endian_place[i]]);
  return guid;
}

Guid Guid::from_big_endian(std::span<const std::byte, 16> on_disk) {
  Guid guid;
  for (std::size_t i = 0; i < 16; ++i) guid.bytes[i] = std::uint8_t(on_disk[i]);
  return guid;
}

std::array<std::byte, 16> Guid::to_mixed_endian() const {
  std::array<std::byte, 16> on_disk{};
  for (std::size_t i = 0; i < 16; ++i) on_disk[mixed_endian_place[i]] = std::byte(bytes[i]);
  return on_disk;
}

std::optional<Guid> Guid::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Guid guid;
  std::size_t filled = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (is_dash_place(i)) {
      if (text[i++] != '-') return std::nullopt;
      continue;
    }
    const auto byte = parse_unsigned(text.substr(i, 2), 16);
    if (!byte) return std::nullopt;
    guid.bytes[filled++] = std::uint8_t(*byte);
    i += 2;
  }
  return guid;
}

std::string Guid::text() const {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    if (is_dash_place(text.size())) text += '-';
    text += hex(byte, 2);
  }
  return text;
}

Guid Guid::random(std::array<std::uint8_t, 16> entropy) {
  Guid guid{entropy};
  guid.bytes[6] = std::uint8_t((guid.bytes[6] & 0x0f) | 0x40);  // version 4
  guid.bytes[8] = std::uint8_t((guid.bytes[8] & 0x3f) | 0x80);  // RFC 4122 variant
  return guid;
}

}  // namespace hrvm::base
