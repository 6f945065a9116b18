// What a device of a btrfs says of itself and of the whole.
#pragma once

#include <optional>

#include "fs/btrfs/format.hpp"
#include "hrvm/block/block_device.hpp"

namespace hrvm::fs::btrfs {

// The first superblock where it is intact, as a mount takes it, else the newest of the copies behind it. nullopt where
// none is: so also on what is no btrfs.
std::optional<SuperBlock> read_super(block::BlockDevice& device);

// Error{unsupported} for features that are not known, {corrupt} for sizes that cannot be.
void check_super(const SuperBlock& super, const block::BlockDevice& device);

// What nodes bear as their filesystem's.
const Uuid& metadata_uuid(const SuperBlock& super);

}  // namespace hrvm::fs::btrfs
