// The seam between libext2fs and BlockDevice: an io_manager that reads from a device and writes nowhere.
#pragma once

#include <ext2fs/ext2fs.h>

#include <cstdint>
#include <optional>

#include "hrvm/base/error.hpp"
#include "hrvm/block/block_device.hpp"

namespace hrvm::fs {

// What libext2fs reads through. A damaged filesystem can make it read in circles, so each task has an allowance.
class ExtSource {
 public:
  explicit ExtSource(block::BlockDevice& device) : device_(device) {}

  block::BlockDevice& device() { return device_; }
  void allow(std::uint64_t bytes) { allowance_ = bytes; }
  errcode_t read(std::uint64_t offset, std::span<std::byte> out);
  // What made the last read fail, once.
  std::optional<base::Error> take_error() { return std::exchange(error_, std::nullopt); }

 private:
  block::BlockDevice& device_;
  std::uint64_t allowance_ = 0;
  std::optional<base::Error> error_;
};

// ext2fs_open2 reading from `source`, which must outlive the filesystem.
errcode_t open_ext2fs(ExtSource& source, int flags, ext2_filsys* filesystem);

}  // namespace hrvm::fs
