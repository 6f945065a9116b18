// Comparing what two devices hold.
#pragma once

#include <cstdint>
#include <optional>

#include "hrvm/block/block_device.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::block {

// Where the two differ for the first time; nullopt when they hold the same. Behind its end a device counts as zeros.
// Several threads read; what is known to be zero in both, or lies in one file for both, is not read at all. Memory: a
// few buffers of 2 MiB. `progress` gets bytes of the longer one.
std::optional<std::uint64_t> first_difference(BlockDevice& one, BlockDevice& other,
                                              const sys::ProgressCallback& progress);

}  // namespace hrvm::block
