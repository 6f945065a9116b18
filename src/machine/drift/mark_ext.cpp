// ext2, ext3, ext4: the kernel's Documentation/filesystems/ext4, "The Super Block".
#include <fmt/core.h>

#include "hrvm/base/time.hpp"
#include "machine/drift/disk_structure.hpp"
#include "machine/drift/marks.hpp"

namespace hrvm::machine {
namespace {

struct SuperBlock {
  std::array<std::byte, 0x2c> geometry;
  base::le32 mount_time;
  base::le32 write_time;
  base::le16 mount_count;
  base::le16 most_mounts;
  base::le16 magic;
  base::le16 state;
  std::array<std::byte, 0x274 - 0x3c> rest;
  std::uint8_t write_time_high, mount_time_high;
};
static_assert(offsetof(SuperBlock, magic) == 0x38);
static_assert(offsetof(SuperBlock, mount_time_high) == 0x275);

constexpr std::uint64_t superblock_offset = 1024, superblock_bytes = 1024;
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

Look look_at_ext(block::BlockDevice& device) {
  Look look{{{superblock_offset, superblock_bytes}}, {}};
  if (const auto super = read_structure<SuperBlock>(device, superblock_offset))
    look.text = fmt::format("mounted {} times, last at {}, last written {}, {}", std::uint16_t(super->mount_count),
                            time_text(super->mount_time, super->mount_time_high),
                            time_text(super->write_time, super->write_time_high), state_text(super->state));
  return look;
}

}  // namespace hrvm::machine
