// Linux md: the superblock lies at the start or 4 KiB behind it (versions 1.1, 1.2), or within the last 128 KiB
// (0.90, 1.0).
#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "machine/drift/marks.hpp"

namespace hrvm::machine {

Look look_at_md(block::BlockDevice& device) {
  const std::uint64_t tail = std::min(device.size(), 128 * base::KiB);
  return {{{0, 8 * base::KiB}, {device.size() - tail, tail}}, {}};
}

}  // namespace hrvm::machine
