// What libblkid is shown of a device, as it reads from descriptors alone.
//
// Nearly all that it looks for lies in the first 132 KiB, the last 132, and a few pages of their own. These are copied
// into a sparse file in memory; where a label or a checksum may lie elsewhere it gets the device itself, or more of it.
// ZFS and logs of XFS are looked for here: it would read most of a MiB to find neither.
#pragma once

#include <cstdint>

#include "hrvm/block/block_device.hpp"
#include "hrvm/sys/fd.hpp"

namespace hrvm::probe {

struct SignatureView {
  sys::Fd own;  // of a copy
  int fd = -1;
  std::uint64_t offset = 0;
  bool may_be_zfs = false, may_be_xfs_log = false;
};

// Of a device that is not empty. It must outlive the view.
SignatureView view_for_libblkid(block::BlockDevice& device);

}  // namespace hrvm::probe
