// Extended attributes: behind the fields of an inode, in a block of their own, values also in inodes of their own.
#pragma once

#include <optional>
#include <vector>

#include "fs/ext/volume.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs::ext {

// As getxattr(2) gives them to root, in the order of their names. What ext keeps for itself ("system.data", the context
// of encryption) is left out. Error{corrupt} where one leaves its place or is larger than can be.
std::vector<Attribute> attributes_of(Volume& volume, const File& file);

// The bytes of a file with flag_inline_data, or of such a folder: i_block, and what "system.data" holds.
std::vector<std::byte> inline_data(Volume& volume, const File& file);

}  // namespace hrvm::fs::ext
