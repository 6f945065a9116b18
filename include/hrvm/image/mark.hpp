// Evidence that a qcow2 was written: see block/mark.hpp.
#pragma once

#include "hrvm/block/mark.hpp"

namespace hrvm::image {

// Of the file, not of what it shows.
block::Look look_at_qcow2(block::BlockDevice& file);

}  // namespace hrvm::image
