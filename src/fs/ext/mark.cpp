// Each mount of ext2, ext3 and ext4 counts in the superblock, and each end of one writes it.
#include <fmt/core.h>

#include "fs/ext/format.hpp"
#include "fs/look_at.hpp"
#include "hrvm/base/time.hpp"
#include "hrvm/block/read_structure.hpp"

namespace hrvm::fs {
namespace {

constexpr std::uint16_t state_clean = 1, state_errors = 2;

std::string time_text(std::uint32_t low, std::uint8_t high) {
  const std::int64_t seconds = std::int64_t(high) << 32 | low;
  return seconds == 0 ? "never" : base::format_time(base::Time(std::chrono::seconds(seconds)));
}

std::string_view state_text(std::uint16_t state) {
  if (state & state_errors) return "with errors";
  return state & state_clean ? "clean" : "not cleanly unmounted";
}

}  // namespace

block::Look look_at_ext(block::BlockDevice& device) {
  block::Look look{{{ext::superblock_offset, sizeof(ext::SuperBlock)}}, {}};
  if (const auto super = block::read_structure<ext::SuperBlock>(device, ext::superblock_offset))
    look.text = fmt::format("mounted {} times, last at {}, last written {}, {}", std::uint16_t(super->mount_count),
                            time_text(super->mounted, super->mounted_high),
                            time_text(super->written, super->written_high), state_text(super->state));
  return look;
}

}  // namespace hrvm::fs
