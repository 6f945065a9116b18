// The check that every BlockDevice makes before it reads.
#pragma once

#include "hrvm/block/block_device.hpp"

namespace hrvm::block {

// Error{corrupt} unless [offset, offset + length) lies in the device.
void check_range(const BlockDevice& device, std::uint64_t offset, std::uint64_t length);

}  // namespace hrvm::block
