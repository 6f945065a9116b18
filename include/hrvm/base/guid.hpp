// Guid: 16 bytes, and the two orders in which they are written down.
// GPT and UEFI store the first three fields little-endian (mixed-endian order, UEFI 2.10 appendix A); RFC 4122 UUIDs
// (ext4, libvirt, machine ids) are big-endian throughout. Text is always lower case.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hrvm::base {

struct Guid {
  std::array<std::uint8_t, 16> bytes{};  // in RFC 4122 (text) order

  static Guid from_mixed_endian(std::span<const std::byte, 16> on_disk);
  static Guid from_big_endian(std::span<const std::byte, 16> on_disk);
  std::array<std::byte, 16> to_mixed_endian() const;

  // 36 characters, any case; anything else is no GUID.
  static std::optional<Guid> parse(std::string_view text);
  std::string text() const;

  // A version 4 UUID made of 16 random bytes.
  static Guid random(std::array<std::uint8_t, 16> entropy);

  bool is_zero() const { return *this == Guid{}; }
  friend auto operator<=>(const Guid&, const Guid&) = default;
};

}  // namespace hrvm::base
