#include "fs/ext/inode.hpp"

#include <array>

namespace hrvm::fs::ext {
namespace {

struct ModeKind {
  std::uint16_t type;
  FileKind kind;
};
constexpr std::array mode_kinds{
    ModeKind{mode_regular, FileKind::regular},
    ModeKind{mode_directory, FileKind::directory},
    ModeKind{mode_symlink, FileKind::symlink},
    ModeKind{mode_block_device, FileKind::block_device},
    ModeKind{mode_character_device, FileKind::character_device},
    ModeKind{mode_fifo, FileKind::fifo},
    ModeKind{mode_socket, FileKind::socket},
};

// Signed seconds, to which the two low bits of `extra` add times of 2^32.
Time time_of(std::uint32_t seconds, std::uint32_t extra) {
  const std::uint32_t nanoseconds = extra >> 2;
  return {std::int64_t(std::int32_t(seconds)) + (std::int64_t(extra & 3) << 32),
          nanoseconds < 1'000'000'000 ? nanoseconds : 0};
}

bool has_creation_time(const Volume& volume, const File& file) {
  constexpr std::size_t end = offsetof(Inode, created_extra) + sizeof(base::le32);
  return volume.inode_bytes() >= end && short_inode_bytes + file.inode.extra_isize >= end;
}

// Blocks of 512 bytes, as st_blocks. For a file that lies in its inode Linux gives what it would take at least.
std::uint64_t sectors(const Volume& volume, const File& file) {
  const bool is_huge = volume.has_read_only(read_only_huge_files);
  const auto blocks = file.inode.blocks_lo | (is_huge ? std::uint64_t(file.inode.blocks_hi) << 32 : 0);
  if (is_huge && file.has(flag_huge_file)) return blocks * (volume.block_bytes() / 512);
  const bool is_inside = file.has(flag_inline_data) && file.is(mode_regular);
  return blocks + (is_inside ? (volume.file_size(file) + 511) / 512 : 0);
}

// Older device numbers of 8 and 8 bits stand in the first word, those of 12 and 20 bits in the second.
DeviceNumber device_of(const File& file) {
  if (!file.is(mode_block_device) && !file.is(mode_character_device)) return {};
  const std::uint32_t small = base::load<base::le32>(file.inode.block);
  if (small != 0) return {small >> 8 & 0xff, small & 0xff};
  const std::uint32_t large = base::load<base::le32>(file.inode.block, 4);
  return {large >> 8 & 0xfff, (large & 0xff) | (large >> 12 & 0xfff00)};
}

}  // namespace

FileKind kind_of(const File& file) {
  for (const ModeKind& each : mode_kinds)
    if (file.is(each.type)) return each.kind;
  return FileKind::other;
}

Stat stat_of(const Volume& volume, const File& file) {
  const Inode& inode = file.inode;
  Stat stat;
  stat.node = {0, file.number, inode.generation};
  stat.kind = kind_of(file);
  stat.mode = inode.mode & 07777;
  stat.uid = inode.uid_lo | std::uint32_t(inode.uid_hi) << 16;
  stat.gid = inode.gid_lo | std::uint32_t(inode.gid_hi) << 16;
  stat.links = inode.links_count;
  stat.device = device_of(file);
  stat.size_bytes = volume.file_size(file);
  stat.allocated_bytes = sectors(volume, file) * 512;
  stat.times.modified = time_of(inode.modified, inode.modified_extra);
  stat.times.changed = time_of(inode.changed, inode.changed_extra);
  stat.times.accessed = time_of(inode.accessed, inode.accessed_extra);
  if (has_creation_time(volume, file)) stat.times.created = time_of(inode.created, inode.created_extra);
  return stat;
}

// What takes blocks beside those of its attributes is slow; where attributes have inodes, blocks do not show it.
bool is_fast_link(const Volume& volume, const File& link) {
  if (link.has(flag_inline_data) || link.has(flag_extents) || link.inode.size_lo >= sizeof link.inode.block)
    return false;
  const std::uint64_t cluster = 1024ull << (volume.super().log_cluster_size & 31);
  const std::uint64_t of_attributes = attribute_block(volume, link) == 0 ? 0 : cluster / 512;
  return volume.has_incompatible(incompatible_attribute_inodes) || link.inode.blocks_lo <= of_attributes;
}

std::uint64_t attribute_block(const Volume& volume, const File& file) {
  const bool is_long = volume.has_incompatible(incompatible_64bit);
  return file.inode.attribute_block_lo | (is_long ? std::uint64_t(file.inode.attribute_block_hi) << 32 : 0);
}

}  // namespace hrvm::fs::ext
