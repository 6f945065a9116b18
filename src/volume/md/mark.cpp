// Linux md: the superblock lies at the start or 4 KiB behind it (versions 1.1, 1.2), or within the last 128 KiB
// (0.90, 1.0).
#include <algorithm>

#include "volume/look_at.hpp"
#include "volume/md/format.hpp"

namespace hrvm::volume {

block::Look look_at_md(block::BlockDevice& device) {
  const std::uint64_t tail = std::min(device.size(), 2 * md::reserved_090);
  return {{{0, 2 * md::super_bytes}, {device.size() - tail, tail}}, {}};
}

}  // namespace hrvm::volume
