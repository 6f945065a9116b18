// The kinds of BlockDevice that need nothing but the kernel: a file or block special file, memory, a slice of another.
#pragma once

#include <filesystem>
#include <memory>

#include "hrvm/block/block_device.hpp"

namespace hrvm::block {

enum class Access {
  buffered,  // through the page cache
  fresh,     // drops what the page cache holds first: a partition that is or was mounted is cached apart from its disk,
             // so a buffered read of the disk can be older than the medium; what is copied goes around it (O_DIRECT)
};

// Opens a regular file or block special file O_RDONLY: the only way in which hrvm ever opens a base. Folders, character
// devices, FIFOs and sockets are Error{unsupported}. For a block special file size and sector sizes are the kernel's
// (BLKGETSIZE64, BLKSSZGET, BLKPBSZGET); a regular file has 512-byte sectors.
std::unique_ptr<BlockDevice> open_device(const std::filesystem::path& path, Access access = Access::buffered);

// True when somebody holds a block special file for himself alone (O_EXCL): a mounted filesystem, a pool, an array.
// Only one may, so it is tried and let go of at once. False for all other files, and where it cannot be known.
bool is_claimed(const std::filesystem::path& device);

std::unique_ptr<BlockDevice> memory_device(std::vector<std::byte> bytes, std::string name, SectorSizes sectors = {});

// `length` bytes of `parent` from `offset`. What lies beyond the parent's end is Error{corrupt} at once. The parent
// must outlive the slice.
std::unique_ptr<BlockDevice> slice(BlockDevice& parent, std::uint64_t offset, std::uint64_t length, std::string name);

// Another view of the same bytes, with other sector sizes (a 4Kn image file) and name. `parent` must outlive it.
std::unique_ptr<BlockDevice> with_sectors(BlockDevice& parent, SectorSizes sectors);

}  // namespace hrvm::block
