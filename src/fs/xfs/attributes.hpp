// The extended attributes of an XFS inode, in whatever form.
#pragma once

#include <vector>

#include "fs/xfs/inode.hpp"
#include "fs/xfs/volume.hpp"

namespace hrvm::fs::xfs {

// In the order of their names, as getxattr(2) gives them. What is not complete is left out, and so is what the
// filesystem keeps for itself. Error{corrupt} for those that leave their block, {unsupported} beyond 64 MiB of them.
std::vector<Attribute> read_attributes(Volume& volume, const Inode& inode);

}  // namespace hrvm::fs::xfs
