// Whether the structures of a filesystem hold, apart from the mark by which it is known.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "hrvm/block/block_device.hpp"

namespace hrvm::probe {

// The bytes that a filesystem says it takes, where its superblock's checksum is right (if it has one); nullopt for one
// that is not sound, and for types that hrvm does not read.
std::optional<std::uint64_t> told_size(std::string_view type, block::BlockDevice& device);

}  // namespace hrvm::probe
