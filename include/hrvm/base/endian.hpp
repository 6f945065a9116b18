// Integers as they lie on disk: be16…be64 and le16…le64. They have no alignment and no padding, so a struct of them can
// be held against a specification line by line, and be filled by memcpy from any offset.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace hrvm::base {

enum class ByteOrder { little, big };

template <std::unsigned_integral T, ByteOrder order>
class DiskInteger {
 public:
  constexpr DiskInteger() = default;
  constexpr DiskInteger(T value) { *this = value; }

  constexpr operator T() const {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) value |= T(T(bytes_[i]) << shift(i));
    return value;
  }
  constexpr DiskInteger& operator=(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) bytes_[i] = std::uint8_t(value >> shift(i));
    return *this;
  }

 private:
  static constexpr unsigned shift(std::size_t i) {
    return unsigned(8 * (order == ByteOrder::little ? i : sizeof(T) - 1 - i));
  }
  std::array<std::uint8_t, sizeof(T)> bytes_{};
};

using be16 = DiskInteger<std::uint16_t, ByteOrder::big>;
using be32 = DiskInteger<std::uint32_t, ByteOrder::big>;
using be64 = DiskInteger<std::uint64_t, ByteOrder::big>;
using le16 = DiskInteger<std::uint16_t, ByteOrder::little>;
using le32 = DiskInteger<std::uint32_t, ByteOrder::little>;
using le64 = DiskInteger<std::uint64_t, ByteOrder::little>;

static_assert(sizeof(be64) == 8 && alignof(be64) == 1);

// Copies a disk structure out of `bytes`. The caller has checked that offset + sizeof(T) lies inside.
template <typename T>
requires std::is_trivially_copyable_v<T> T load(std::span<const std::byte> bytes, std::size_t offset = 0) {
  T value;
  std::memcpy(&value, bytes.subspan(offset, sizeof(T)).data(), sizeof(T));
  return value;
}

template <typename T>
requires std::is_trivially_copyable_v<T>
void store(std::span<std::byte> bytes, std::size_t offset, const T& value) {
  std::memcpy(bytes.subspan(offset, sizeof(T)).data(), &value, sizeof(T));
}

}  // namespace hrvm::base
