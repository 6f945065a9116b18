#include "image/qcow2/refcount_block.hpp"

#include <algorithm>

namespace hrvm::image {
namespace {

constexpr unsigned byte_order = 3;  // from here on a count is whole bytes

struct Bits {
  std::size_t byte;
  unsigned shift, mask;
};

Bits bits_of(unsigned order, std::uint64_t index) {
  const auto per_byte = 8u >> order;
  return {std::size_t(index / per_byte), unsigned(index % per_byte) << order, unsigned(most_references(order))};
}

}  // namespace

std::uint64_t refcount_at(std::span<const std::byte> block, unsigned order, std::uint64_t index) {
  if (order < byte_order) {
    const auto bits = bits_of(order, index);
    return std::to_integer<unsigned>(block[bits.byte]) >> bits.shift & bits.mask;
  }
  const auto width = std::size_t(1) << (order - byte_order);
  std::uint64_t count = 0;
  for (auto byte : block.subspan(index * width, width)) count = count << 8 | std::to_integer<unsigned>(byte);
  return count;
}

void set_refcount(std::span<std::byte> block, unsigned order, std::uint64_t index, std::uint64_t count) {
  count = std::min(count, most_references(order));
  if (order < byte_order) {
    const auto bits = bits_of(order, index);
    auto& byte = block[bits.byte];
    byte = (byte & ~std::byte(bits.mask << bits.shift)) | std::byte(unsigned(count) << bits.shift);
    return;
  }
  const auto width = std::size_t(1) << (order - byte_order);
  for (auto i = width; i-- > 0; count >>= 8) block[index * width + i] = std::byte(count & 0xff);
}

}  // namespace hrvm::image
