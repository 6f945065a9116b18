// btrfs: include/uapi/linux/btrfs_tree.h of Linux, the superblock. Each change of whatever kind, a mount's included,
// writes it with a generation that is one higher; a log of what was synced between two of them is named there as well.
#include <fmt/core.h>

#include "hrvm/base/byte_size.hpp"
#include "machine/drift/disk_structure.hpp"
#include "machine/drift/marks.hpp"

namespace hrvm::machine {
namespace {

struct SuperBlock {
  std::array<std::byte, 32> checksum;
  std::array<std::byte, 16> filesystem;
  base::le64 offset, flags;
  std::array<char, 8> magic;
  base::le64 generation, root, chunk_root, log_root;
};
static_assert(offsetof(SuperBlock, magic) == 0x40);
static_assert(offsetof(SuperBlock, log_root) == 0x60);

constexpr std::uint64_t superblock_offset = 64 * base::KiB, superblock_bytes = 4 * base::KiB;
constexpr std::string_view magic = "_BHRfS_M";

}  // namespace

Look look_at_btrfs(block::BlockDevice& device) {
  Look look{{{superblock_offset, superblock_bytes}}, {}};
  const auto super = read_structure<SuperBlock>(device, superblock_offset);
  if (super && std::string_view(super->magic.data(), super->magic.size()) == magic)
    look.text = fmt::format("generation {}, {}", std::uint64_t(super->generation),
                            super->log_root == 0 ? "no log" : "with a log to replay");
  return look;
}

}  // namespace hrvm::machine
