// What of each filesystem moves when it is mounted or written. Their superblocks are those that their readers have.
#pragma once

#include "hrvm/block/mark.hpp"

namespace hrvm::fs {

block::Look look_at_ext(block::BlockDevice& device);
block::Look look_at_fat(block::BlockDevice& device);
block::Look look_at_ntfs(block::BlockDevice& device);
block::Look look_at_xfs(block::BlockDevice& device);
block::Look look_at_btrfs(block::BlockDevice& device);

}  // namespace hrvm::fs
