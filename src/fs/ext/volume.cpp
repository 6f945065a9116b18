#include "fs/ext/volume.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <bit>

namespace hrvm::fs::ext {
namespace {

constexpr unsigned largest_block_log = 6;  // 64 KiB
constexpr std::uint32_t largest_descriptor = 1024;

bool is_power_of(std::uint32_t base, std::uint32_t number) {
  while (number % base == 0) number /= base;
  return number == 1;
}

bool is_power_of_two_within(std::uint32_t number, std::uint32_t least, std::uint32_t most) {
  return std::has_single_bit(number) && number >= least && number <= most;
}

}  // namespace

Volume::Volume(block::BlockDevice& device) : device_(device) {
  if (device.size() < superblock_offset + sizeof super_) throw corrupt("it is too small for an ext filesystem");
  device_.read(superblock_offset, std::as_writable_bytes(std::span(&super_, 1)));
  if (super_.magic != superblock_magic) throw corrupt("it has no superblock of ext");
  if (super_.revision != 0) {
    compatible_ = super_.compatible;
    incompatible_ = super_.incompatible;
    read_only_ = super_.read_only_compatible;
  }
  if (const auto unknown = incompatible_ & ~known_incompatible)
    throw corrupt(fmt::format("its ext filesystem has features that are not known ({:#x})", unknown));
  if (super_.log_block_size > largest_block_log)
    throw corrupt("its ext filesystem has blocks of a size that cannot be");
  block_bytes_ = 1024u << super_.log_block_size;
  const bool is_64bit = has_incompatible(incompatible_64bit);
  blocks_ = super_.blocks_count_lo | (is_64bit ? std::uint64_t(super_.blocks_count_hi) << 32 : 0);
  blocks_here_ = std::min(blocks_, device.size() / block_bytes_);
  inode_bytes_ = super_.revision == 0 ? std::uint32_t(short_inode_bytes) : std::uint32_t(super_.inode_size);
  descriptor_bytes_ = is_64bit ? std::uint32_t(super_.descriptor_size) : std::uint32_t(short_descriptor_bytes);
  check_sizes();
}

// The last is Linux's own rule, and shows a count of blocks that cannot be.
void Volume::check_sizes() const {
  const bool is_64bit = has_incompatible(incompatible_64bit);
  const bool is_sound =
      blocks_ > super_.first_data_block && blocks_ <= ~0ull / 2 / block_bytes_ && super_.blocks_per_group != 0 &&
      super_.inodes_per_group != 0 && super_.inodes_per_group <= 8 * block_bytes_ &&
      is_power_of_two_within(inode_bytes_, short_inode_bytes, block_bytes_) &&
      (!is_64bit || is_power_of_two_within(descriptor_bytes_, long_descriptor_bytes, largest_descriptor)) &&
      groups() <= ~0u && groups() * super_.inodes_per_group == super_.inodes_count;
  if (!is_sound) throw corrupt("its ext filesystem has sizes that cannot be");
}

base::Error Volume::corrupt(std::string_view what) const {
  return base::Error(base::ErrorKind::corrupt, fmt::format("{}: {}", name(), what)).on(name());
}

std::uint64_t Volume::groups() const {
  const std::uint64_t per_group = super_.blocks_per_group;
  return (blocks_ - super_.first_data_block + per_group - 1) / per_group;
}

std::uint64_t Volume::group_begin(std::uint32_t group) const {
  return super_.first_data_block + std::uint64_t(group) * super_.blocks_per_group;
}

bool Volume::has_superblock(std::uint32_t group) const {
  if (group == 0) return true;
  if (has_compatible(compatible_sparse_super2))
    return group == super_.backup_groups[0] || group == super_.backup_groups[1];
  if (group == 1 || !has_read_only(read_only_sparse_super)) return true;
  return is_power_of(3, group) || is_power_of(5, group) || is_power_of(7, group);
}

// Behind the superblock; from a group on, if meta_bg, in the first group of those that a block of them describes.
std::uint64_t Volume::descriptor_offset(std::uint32_t group) const {
  const std::uint32_t in_block = block_bytes_ / descriptor_bytes_, nth = group / in_block;
  const std::uint64_t superblock = superblock_offset / block_bytes_;
  std::uint64_t block = superblock + 1 + nth;
  if (has_incompatible(incompatible_meta_groups) && nth >= super_.first_meta_group && nth != 0) {
    const auto first = nth * in_block;
    block = super_.first_data_block + std::uint64_t(first) * super_.blocks_per_group + (has_superblock(first) ? 1 : 0);
  }
  return block_offset(block) + std::uint64_t(group % in_block) * descriptor_bytes_;
}

GroupDescriptor Volume::descriptor(std::uint32_t group) {
  GroupDescriptor descriptor{};
  const auto length = std::min<std::size_t>(descriptor_bytes_, sizeof descriptor);
  device_.read(descriptor_offset(group), std::as_writable_bytes(std::span(&descriptor, 1)).first(length));
  return descriptor;
}

std::uint64_t Volume::inode_table(std::uint32_t group) {
  if (last_table_ != 0 && last_group_ == group) return last_table_;
  const GroupDescriptor of_group = descriptor(group);
  last_table_ = block_offset(of_group.inode_table_lo | std::uint64_t(of_group.inode_table_hi) << 32);
  last_group_ = group;
  return last_table_;
}

std::uint64_t Volume::inode_offset(std::uint32_t number) {
  if (number == 0 || number > inodes()) throw corrupt(fmt::format("it has no inode {}", number));
  const std::uint32_t per_group = super_.inodes_per_group;
  return inode_table((number - 1) / per_group) + std::uint64_t((number - 1) % per_group) * inode_bytes_;
}

File Volume::file(std::uint32_t number) {
  File file{number, inode_offset(number), {}};
  const auto fields = std::as_writable_bytes(std::span(&file.inode, 1));
  read_inode(file, 0, fields.first(std::min<std::size_t>(inode_bytes_, fields.size())));
  const auto covered = std::min<std::size_t>(short_inode_bytes + file.inode.extra_isize, fields.size());
  std::ranges::fill(fields.subspan(std::max(covered, offsetof(Inode, checksum_hi))), std::byte(0));
  return file;
}

void Volume::read_inode(const File& file, std::size_t at, std::span<std::byte> out) {
  read(file.device_offset + at, out);
  const auto newer = changes_.inode(file.number);
  if (at >= newer.size()) return;
  const auto length = std::min(out.size(), newer.size() - at);
  std::ranges::copy(newer.subspan(at, length), out.begin());
}

// Of what is neither file nor folder the high half once had another meaning.
std::uint64_t Volume::file_size(const File& file) const {
  const bool is_long =
      file.is(mode_regular) || (file.is(mode_directory) && has_incompatible(incompatible_large_directories));
  return file.inode.size_lo | (is_long ? std::uint64_t(file.inode.size_hi) << 32 : 0);
}

std::uint64_t Volume::block_offset(std::uint64_t block) const {
  if (block == 0 || block >= blocks_) throw corrupt(fmt::format("its ext filesystem has no block {}", block));
  return block * block_bytes_;
}

std::vector<std::byte> Volume::read_block(std::uint64_t block) {
  std::vector<std::byte> bytes(block_bytes_);
  read(block_offset(block), bytes);
  return bytes;
}

}  // namespace hrvm::fs::ext
