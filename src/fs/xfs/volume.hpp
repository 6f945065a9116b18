// An XFS's geometry and features, and its metadata, which are read through a small cache.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "fs/xfs/format.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/block/read_cache.hpp"

namespace hrvm::fs::xfs {

class Volume {
 public:
  // Error{corrupt} where there is no XFS that can be, {unsupported} for features that are not known.
  explicit Volume(block::BlockDevice& device);

  block::BlockDevice& device() const { return device_; }
  // The same bytes. A cluster of inodes is read at once.
  block::BlockDevice& metadata() { return metadata_; }

  const SuperBlock& super() const { return super_; }
  bool is_version_5() const { return is_version_5_; }
  bool has_file_types() const { return has_file_types_; }
  bool ignores_case() const { return super_.version & version_ignores_case; }
  unsigned block_log() const { return super_.block_log; }
  std::uint64_t block_bytes() const { return 1ull << super_.block_log; }
  std::uint64_t directory_block_bytes() const { return block_bytes() << super_.directory_block_log; }

  // Where blocks lie, by the number of the first with its group in the upper bits. Error{corrupt} where they leave
  // their group or the device.
  std::uint64_t offset_of(std::uint64_t block, std::uint64_t count = 1) const;
  std::uint64_t inode_offset(std::uint64_t number) const;
  base::Error corrupt(const std::string& what, std::uint64_t offset) const;

 private:
  block::BlockDevice& device_;
  block::ReadCache metadata_;
  SuperBlock super_;
  bool is_version_5_ = false, has_file_types_ = false;
};

}  // namespace hrvm::fs::xfs
