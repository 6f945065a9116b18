// Where the pieces of a file of NTFS lie on its device.
#pragma once

#include <cstdint>

#include "fs/ntfs/volume.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs::ntfs {

// The piece that starts at `offset`, at most `limit` bytes long: both lie within `data`, the file's own.
FileExtent extent_of(Volume& volume, const File& file, _ntfs_attr& data, std::uint64_t offset, std::uint64_t limit);

}  // namespace hrvm::fs::ntfs
