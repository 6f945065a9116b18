// The bytes of btrfs's files, checked against their checksums where they have any.
//
// Memory: what is asked for, and one unpacked extent.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fs/btrfs/extent.hpp"
#include "fs/btrfs/tree.hpp"
#include "fs/btrfs/volume.hpp"

namespace hrvm::fs::btrfs {

class DataReader {
 public:
  explicit DataReader(Volume& volume) : volume_(volume) {}

  // Fills `out` from `offset` of the file on, with zeros where nothing is stored. Error{corrupt} where data are damaged
  // in all their copies, {unsupported} where they are stored in a way that is not known.
  void read(const Tree& tree, std::uint64_t inode, std::uint64_t offset, std::span<std::byte> out);

 private:
  struct Piece;  // what one extent gives to the read

  void read_extent(const Cursor& at, const Piece& piece);
  void read_inline(const Cursor& at, const Extent& extent, const Piece& piece);
  void read_plain(std::uint64_t logical, std::span<std::byte> out);
  void unpack_extent(const Cursor& at, const Extent& extent);
  void unpack_into(std::span<std::byte> out, std::span<const std::byte> packed, const Cursor& at, const Extent& extent);
  static void copy(std::span<const std::byte> from, const Piece& piece);
  void read_sectors(std::uint64_t logical, std::span<std::byte> out);  // whole ones
  bool is_good(std::uint64_t logical, std::span<const std::byte> sectors);

  Volume& volume_;
  std::uint64_t unpacked_at_ = 0;  // address of what is unpacked; 0: none, for there lies no data
  std::vector<std::byte> unpacked_;
};

}  // namespace hrvm::fs::btrfs
