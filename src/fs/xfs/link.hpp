// The target of a symbolic link.
#pragma once

#include <string>

#include "fs/xfs/inode.hpp"
#include "fs/xfs/volume.hpp"

namespace hrvm::fs::xfs {

// Error{corrupt} for one that is longer than any, or not all there.
std::string read_target(Volume& volume, const Inode& link);

}  // namespace hrvm::fs::xfs
