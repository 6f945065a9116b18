// A disk image of which only some sectors matter, as a file of the corpus: records of a sector's number (two bytes,
// little-endian) and its 512 bytes. All other sectors are zeros.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hrvm::test {

// What lies beyond `image_bytes` is left out, and so is a record that is cut off.
inline std::vector<std::byte> unpack_sectors(std::span<const std::byte> packed, std::size_t image_bytes) {
  constexpr std::size_t sector_bytes = 512, record_bytes = 2 + sector_bytes;
  std::vector<std::byte> image(image_bytes);
  for (; packed.size() >= record_bytes; packed = packed.subspan(record_bytes)) {
    const auto number = std::to_integer<std::size_t>(packed[0]) | std::to_integer<std::size_t>(packed[1]) << 8;
    if ((number + 1) * sector_bytes > image.size()) continue;
    std::ranges::copy(packed.subspan(2, sector_bytes), image.begin() + std::ptrdiff_t(number * sector_bytes));
  }
  return image;
}

}  // namespace hrvm::test
