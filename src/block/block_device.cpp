#include "hrvm/block/block_device.hpp"

#include <algorithm>

#include "block/range.hpp"

namespace hrvm::block {

Extent BlockDevice::extent_at(std::uint64_t offset) {
  check_range(*this, offset, 1);
  return {offset, size() - offset, ExtentKind::data};
}

StoredExtent BlockDevice::stored_at(std::uint64_t offset, std::uint64_t limit) {
  auto extent = extent_at(offset);
  extent.length = std::min(extent.length, limit);
  auto location = extent.kind == ExtentKind::data ? raw_location() : std::nullopt;
  if (location) location->offset += offset;
  return {extent, location};
}

std::vector<std::byte> BlockDevice::read(std::uint64_t offset, std::size_t length) {
  // Before memory is taken: the length may come from a disk.
  check_range(*this, offset, length);
  std::vector<std::byte> bytes(length);
  read(offset, std::span(bytes));
  return bytes;
}

}  // namespace hrvm::block
