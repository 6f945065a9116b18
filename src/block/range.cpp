#include "block/range.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"

namespace hrvm::block {

void check_range(const BlockDevice& device, std::uint64_t offset, std::uint64_t length) {
  if (offset <= device.size() && length <= device.size() - offset) return;
  throw base::Error(base::ErrorKind::corrupt, fmt::format("{} bytes at offset {} lie beyond the end of {} ({} bytes)",
                                                          length, offset, device.name(), device.size()))
      .on(device.name())
      .at(offset);
}

}  // namespace hrvm::block
