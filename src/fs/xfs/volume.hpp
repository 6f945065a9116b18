// An XFS's inodes and the bytes that they lead to.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fs/xfs/format.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/block_device.hpp"

namespace hrvm::fs::xfs {

struct Extent {
  std::uint64_t file_block = 0, volume_block = 0, blocks = 0;
  bool written = true;  // else zeros
};

struct File {
  std::uint64_t number = 0;
  Inode inode;
  std::vector<std::byte> local;  // what lies in the inode itself
  std::vector<Extent> extents;   // in order
  bool is_directory() const { return (inode.mode & 0xf000) == 0x4000; }
  bool is_regular() const { return (inode.mode & 0xf000) == 0x8000; }
  bool is_link() const { return (inode.mode & 0xf000) == 0xa000; }
};

class Volume {
 public:
  // Error{corrupt} where there is no XFS that can be, {unsupported} for features that are not known.
  explicit Volume(block::BlockDevice& device);

  // Error{corrupt} for what is no inode. At most 1 Mi extents.
  File file(std::uint64_t number);
  std::uint64_t root() const { return super_.root_inode; }
  // Bytes of a file with extents; zeros where nothing is stored.
  std::vector<std::byte> read(const File& file, std::uint64_t offset, std::size_t length);

  block::BlockDevice& device() const { return device_; }
  const SuperBlock& super() const { return super_; }
  bool is_version_5() const { return (super_.version & version_mask) == 5; }
  bool has_file_types() const;
  std::uint64_t block_bytes() const { return super_.block_bytes; }
  std::uint64_t directory_block_bytes() const { return block_bytes() << super_.directory_block_log; }
  // Where a block lies, by its number with the group in its upper bits. Error{corrupt} where it cannot be.
  std::uint64_t offset_of(std::uint64_t block) const;

 private:
  base::Error corrupt(const std::string& what, std::uint64_t offset) const;
  std::uint64_t inode_offset(std::uint64_t number) const;
  void read_extents(File& file, std::span<const std::byte> fork);
  void read_tree(File& file, std::span<const std::byte> fork);
  void read_tree_block(File& file, std::uint64_t block, unsigned level, unsigned& left);
  void add(File& file, std::span<const std::byte> records, std::uint64_t count);

  block::BlockDevice& device_;
  SuperBlock super_;
};

}  // namespace hrvm::fs::xfs
