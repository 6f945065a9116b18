// Copying the bytes of a BlockDevice into a file, with holes kept: what hrvm writes is always a file of its own.
#pragma once

#include "hrvm/block/block_device.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::block {

// Writes all of `source` into `fd` (a new, empty file) so that it reads the same, 1 MiB at a time; zeros, known or found,
// become holes. Sets the file's size. `path` is for messages.
void copy_to_file(BlockDevice& source, int fd, const std::string& path, const sys::ProgressCallback& progress);

bool is_zero(std::span<const std::byte> bytes);

// True when O_DIRECT works for files in `folder` (tried on a file that is never linked into it).
bool supports_direct_io(const std::string& folder);

}  // namespace hrvm::block
