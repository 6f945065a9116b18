// What an inode holds of a file.
#pragma once

#include "fs/ext/volume.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs::ext {

FileKind kind_of(const File& file);
Stat stat_of(const Volume& volume, const File& file);

// Whether the target of a symbolic link lies in i_block.
bool is_fast_link(const Volume& volume, const File& link);

// The block with its attributes; 0: it has none.
std::uint64_t attribute_block(const Volume& volume, const File& file);

}  // namespace hrvm::fs::ext
