// An inode with what lies in it: its core and its two forks.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "fs/xfs/format.hpp"
#include "fs/xfs/volume.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs::xfs {

enum class Fork { data, attributes };

class Inode {
 public:
  // Error{not_found} for a number that is in no use, {corrupt} for what is no inode.
  Inode(Volume& volume, std::uint64_t number);

  std::uint64_t number() const { return number_; }
  const DiskInode& core() const { return core_; }
  FileKind kind() const;
  bool has_attributes() const { return core_.fork_offset != 0; }
  std::uint8_t format(Fork fork) const { return fork == Fork::data ? core_.format : core_.attribute_format; }
  // The fork's root or all of it, as it lies in the inode.
  std::span<const std::byte> bytes(Fork fork) const;
  std::uint64_t extents(Fork fork) const;
  std::uint64_t offset() const { return offset_; }  // on the device

 private:
  bool has_many_extents() const { return core_.version == 3 && (core_.flags2 & flag2_many_extents); }

  std::uint64_t number_, offset_;
  std::size_t core_bytes_ = 0, data_end_ = 0, end_;
  DiskInode core_;
  std::array<std::byte, most_inode_bytes> bytes_;
};

// All that stat(2) gives.
Stat stat_of(const Volume& volume, const Inode& inode);

}  // namespace hrvm::fs::xfs
