#include "fs/xfs/volume.hpp"

#include <fmt/core.h>

namespace hrvm::fs::xfs {
namespace {

using base::Error, base::ErrorKind;

bool is_sound(const SuperBlock& super) {
  const auto block_log = super.block_log, inode_log = super.inode_log;
  return block_log >= 9 && block_log <= 16 && super.block_bytes == 1u << block_log && inode_log >= 8 &&
         inode_log <= 11 && inode_log <= block_log && super.inode_bytes == 1u << inode_log &&
         super.inodes_per_block_log == block_log - inode_log && super.group_blocks_log <= 31 &&
         super.group_blocks != 0 && super.group_blocks <= 1ull << super.group_blocks_log && super.groups != 0 &&
         super.directory_block_log + block_log <= 16;
}

}  // namespace

Volume::Volume(block::BlockDevice& device) : device_(device), metadata_(device) {
  const auto fail = [&](ErrorKind kind, std::string what) {
    throw Error(kind, fmt::format("the XFS on {} {}", device.name(), what)).on(device.name());
  };
  if (device.size() < sizeof(SuperBlock)) fail(ErrorKind::corrupt, "is too short");
  super_ = base::load<SuperBlock>(metadata_.read(0, sizeof(SuperBlock)));
  if (super_.magic != super_magic || !is_sound(super_)) fail(ErrorKind::corrupt, "has a superblock that cannot be");
  const auto version = super_.version & version_mask;
  if (version != 4 && version != 5) fail(ErrorKind::unsupported, fmt::format("is of version {}", version));
  if (version == 5 && (super_.incompatible & ~known_incompatible))
    fail(ErrorKind::unsupported,
         fmt::format("has features that are not known ({:#x})", super_.incompatible & ~known_incompatible));
  is_version_5_ = version == 5;
  has_file_types_ =
      is_version_5_ ? super_.incompatible & incompatible_file_types : super_.features2 & feature2_file_types;
}

Error Volume::corrupt(const std::string& what, std::uint64_t offset) const {
  return Error(ErrorKind::corrupt, fmt::format("{}: {}", device_.name(), what)).on(device_.name()).at(offset);
}

std::uint64_t Volume::offset_of(std::uint64_t block, std::uint64_t count) const {
  const std::uint64_t group = block >> super_.group_blocks_log;
  const std::uint64_t within = block & ((1ull << super_.group_blocks_log) - 1);
  const std::uint64_t first = group * super_.group_blocks + within;
  if (group >= super_.groups || within + count > super_.group_blocks)
    throw corrupt(fmt::format("block {:#x} lies in no allocation group", block), 0);
  if (first + count > device_.size() >> super_.block_log)
    throw corrupt(fmt::format("block {:#x} lies beyond the end", block), 0);
  return first << super_.block_log;
}

std::uint64_t Volume::inode_offset(std::uint64_t number) const {
  const auto log = super_.inodes_per_block_log;
  const auto within = number & ((1ull << log) - 1);
  return offset_of(number >> log) + (within << super_.inode_log);
}

}  // namespace hrvm::fs::xfs
