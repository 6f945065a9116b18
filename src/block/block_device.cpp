#include "hrvm/block/block_device.hpp"

#include "range.hpp"

namespace hrvm::block {

Extent BlockDevice::extent_at(std::uint64_t offset) {
  check_range(*this, offset, 1);
  return {offset, size() - offset, ExtentKind::data};
}

std::vector<std::byte> BlockDevice::read(std::uint64_t offset, std::size_t length) {
  // Before memory is taken: the length may come from a disk.
  check_range(*this, offset, length);
  std::vector<std::byte> bytes(length);
  read(offset, std::span(bytes));
  return bytes;
}

}  // namespace hrvm::block
