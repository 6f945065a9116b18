// What of each kind of member moves when what lies on it is written.
#pragma once

#include "hrvm/block/mark.hpp"

namespace hrvm::volume {

block::Look look_at_md(block::BlockDevice& device);
block::Look look_at_luks(block::BlockDevice& device);

}  // namespace hrvm::volume
