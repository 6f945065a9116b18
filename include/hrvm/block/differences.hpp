// All places in which two devices differ.
#pragma once

#include "hrvm/block/block_device.hpp"
#include "hrvm/block/ranges.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::block {

inline constexpr std::uint64_t difference_bytes = 512;
inline constexpr std::size_t most_differences = 4u << 20;

// In pieces of difference_bytes, the last of which may be shorter. Behind its end a device counts as zeros. What is
// known to be zero in both, or lies in one file for both, is not read: of two states of one disk their layers alone
// are. Memory: 2 MiB, and 16 bytes for each difference; where there are more of them than `most`, those that lie near
// to each other become one. For a confined child: one thread reads. `progress` gets bytes of the longer one.
ByteRanges differences(BlockDevice& one, BlockDevice& other, const sys::ProgressCallback& progress,
                       std::size_t most = most_differences);

}  // namespace hrvm::block
