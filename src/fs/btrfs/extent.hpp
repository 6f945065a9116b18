// Where the bytes of btrfs's files lie, as the trees of subvolumes have it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "fs/btrfs/format.hpp"
#include "fs/btrfs/tree.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs::btrfs {

struct Extent {
  std::uint64_t offset = 0, length = 0;  // in the file
  ExtentHeader header;
  std::span<const std::byte> inside;  // of an inline one; lives until the cursor moves
  ExtentPlace place;                  // of any other

  bool is_inline() const { return header.type == extent_inline; }
  bool is_packed() const { return header.compression != compression_none; }
  bool is_zeros() const { return !is_inline() && (header.type == extent_reserved || place.logical == 0); }
};

// Error{corrupt} for what cannot be, {unsupported} for what is stored in a way that is not known.
Extent parse_extent(const Cursor& at, const Volume& volume);

// The one that holds this byte of the file, or where none does, the first that lies behind it.
Cursor first_extent(const Tree& tree, std::uint64_t inode, std::uint64_t offset);

// The piece that starts at `offset`, at most `limit` bytes long. What lies in several pieces on the devices (RAID0) is
// given piece by piece; of a packed extent it is the first of them.
FileExtent locate_extent(const Tree& tree, std::uint64_t inode, std::uint64_t offset, std::uint64_t limit);

base::Error broken(base::ErrorKind kind, const Cursor& at, const Volume& volume, std::string_view what);

}  // namespace hrvm::fs::btrfs
