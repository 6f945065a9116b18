// Each change of a btrfs of whatever kind, a mount's included, writes its superblock with a generation that is one
// higher; a log of what was synced between two of them is named there as well.
#include <fmt/core.h>

#include "fs/btrfs/format.hpp"
#include "fs/look_at.hpp"
#include "hrvm/block/read_structure.hpp"

namespace hrvm::fs {
block::Look look_at_btrfs(block::BlockDevice& device) {
  block::Look look{{{btrfs::super_offsets[0], btrfs::super_bytes}}, {}};
  const auto super = block::read_structure<btrfs::SuperBlock>(device, btrfs::super_offsets[0]);
  if (super && std::string_view(super->magic.data(), super->magic.size()) == btrfs::super_magic)
    look.text = fmt::format("generation {}, {}", std::uint64_t(super->generation),
                            super->log_root == 0 ? "no log" : "with a log to replay");
  return look;
}

}  // namespace hrvm::fs
