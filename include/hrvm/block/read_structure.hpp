// Reading one on-disk structure from wherever a disk says it is.
#pragma once

#include <optional>

#include "hrvm/base/endian.hpp"
#include "hrvm/block/block_device.hpp"

namespace hrvm::block {

// nullopt where it would leave the device.
template <typename T>
std::optional<T> read_structure(block::BlockDevice& device, std::uint64_t offset) {
  if (device.size() < sizeof(T) || offset > device.size() - sizeof(T)) return std::nullopt;
  return base::load<T>(device.read(offset, sizeof(T)));
}

}  // namespace hrvm::block
