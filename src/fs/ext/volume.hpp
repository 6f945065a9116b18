// An ext filesystem's superblock, group descriptors and inodes.
//
// Memory: the pieces of the device that were read last (8 MiB), whatever the size of the filesystem: descriptors and
// inodes are read when they are asked for. Checksums are passed over: what can be read of a slightly damaged filesystem
// is worth more than none of it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fs/ext/changes.hpp"
#include "fs/ext/format.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/read_cache.hpp"

namespace hrvm::fs::ext {

// An inode as it lies on disk, with zeros for the fields that it lacks.
struct File {
  std::uint32_t number = 0;
  std::uint64_t device_offset = 0;
  Inode inode;

  bool has(std::uint32_t flag) const { return inode.flags & flag; }
  bool is(std::uint16_t type) const { return (inode.mode & mode_type) == type; }
};

class Volume {
 public:
  // Error{corrupt} for what is no ext filesystem, cannot be one, or has features that are not known. `device` must
  // outlive it.
  explicit Volume(block::BlockDevice& device);

  const SuperBlock& super() const { return super_; }
  const std::string& name() const { return device_.name(); }
  bool has_incompatible(std::uint32_t feature) const { return incompatible_ & feature; }
  bool has_read_only(std::uint32_t feature) const { return read_only_ & feature; }
  bool has_compatible(std::uint32_t feature) const { return compatible_ & feature; }
  std::uint32_t block_bytes() const { return block_bytes_; }
  std::uint64_t blocks() const { return blocks_; }            // of the filesystem
  std::uint64_t blocks_here() const { return blocks_here_; }  // of those, what the device has room for
  std::uint32_t inode_bytes() const { return inode_bytes_; }
  std::uint32_t inodes() const { return super_.inodes_count; }

  std::uint64_t groups() const;
  std::uint64_t group_begin(std::uint32_t group) const;  // block
  bool has_superblock(std::uint32_t group) const;
  std::uint64_t descriptor_offset(std::uint32_t group) const;
  GroupDescriptor descriptor(std::uint32_t group);
  // Bytes, of any inode that the tables have. Error{corrupt} where there is none of this number.
  std::uint64_t inode_offset(std::uint32_t number);
  // Any inode that the tables have, in use or not. Error{corrupt} where there is none of this number.
  File file(std::uint32_t number);
  std::uint64_t file_size(const File& file) const;
  // Bytes of an inode from `at` on. Error{corrupt} beyond the device's end.
  void read_inode(const File& file, std::size_t at, std::span<std::byte> out);
  // Bytes of the device. Error{corrupt} beyond its end.
  void read(std::uint64_t offset, std::span<std::byte> out) {
    bytes_read_ += out.size();
    device_.read(offset, out);
  }
  // How many were asked for so far: a measure of work.
  std::uint64_t bytes_read() const { return bytes_read_; }
  std::uint64_t block_offset(std::uint64_t block) const;  // Error{corrupt} where the filesystem has no such block
  std::vector<std::byte> read_block(std::uint64_t block);
  // What is shown otherwise than it lies in the blocks.
  const Changes& changes() const { return changes_; }
  Changes& changes() { return changes_; }
  // "NAME: WHAT".
  base::Error corrupt(std::string_view what) const;

 private:
  void check_sizes() const;
  std::uint64_t inode_table(std::uint32_t group);

  block::ReadCache device_;
  SuperBlock super_;
  Changes changes_;
  std::uint64_t bytes_read_ = 0;
  std::uint32_t compatible_ = 0, incompatible_ = 0, read_only_ = 0;  // none in revision 0
  std::uint32_t block_bytes_ = 0, inode_bytes_ = 0, descriptor_bytes_ = 0;
  std::uint64_t blocks_ = 0, blocks_here_ = 0;
  std::uint32_t last_group_ = 0;  // whose inode table was asked for last
  std::uint64_t last_table_ = 0;  // where it is, bytes; 0: none was
};

}  // namespace hrvm::fs::ext
