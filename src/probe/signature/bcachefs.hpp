// A superblock of bcachefs, which libblkid knows from version 2.40 on (bcachefs_format.h, struct bch_sb).
#pragma once

#include <optional>

#include "hrvm/block/block_device.hpp"
#include "hrvm/probe/signature.hpp"

namespace hrvm::probe {

// nullopt for what is none.
std::optional<Signature> read_bcachefs(block::BlockDevice& device);

}  // namespace hrvm::probe
