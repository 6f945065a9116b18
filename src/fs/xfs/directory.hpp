// The entries of an XFS folder, whatever form it has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fs/xfs/volume.hpp"

namespace hrvm::fs::xfs {

struct DirectoryEntry {
  std::string name;
  std::uint64_t inode = 0;
  std::uint8_t type = 0;  // 1 regular, 2 folder, 7 link; 0: only the inode tells
};

// Without "." and "..". At most 65536. Error{corrupt} where an entry leaves its block.
std::vector<DirectoryEntry> read_directory(Volume& volume, const File& folder);

}  // namespace hrvm::fs::xfs
