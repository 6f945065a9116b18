// The seam between libntfs-3g and BlockDevice: device operations that read from a device and write nowhere.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "hrvm/base/error.hpp"
#include "hrvm/block/read_cache.hpp"

struct ntfs_device;

namespace hrvm::fs {

// What libntfs-3g reads through. Small reads, of which it makes many side by side, are served from 64 windows of 32
// KiB. A damaged filesystem can make it read in circles, so each task has an allowance.
class NtfsSource {
 public:
  explicit NtfsSource(block::BlockDevice& device) : device_(device), cache_(device) {}

  block::BlockDevice& device() { return device_; }
  void allow(std::uint64_t bytes) { allowance_ = bytes; }
  // As pread(2): fewer bytes at the end of the device, -1 with errno where it fails.
  std::int64_t read(std::uint64_t offset, std::span<std::byte> out);
  // What made a read fail since the last call.
  std::optional<base::Error> take_error() { return std::exchange(error_, std::nullopt); }

 private:
  block::BlockDevice& device_;
  block::ReadCache cache_;
  std::uint64_t allowance_ = 0;
  std::optional<base::Error> error_;
};

// For ntfs_volume_startup, which takes it over; `source` must outlive the volume. nullptr when there is no memory.
ntfs_device* open_ntfs_device(NtfsSource& source);

}  // namespace hrvm::fs
