#include "fs/xfs/volume.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"

namespace hrvm::fs::xfs {
namespace {

using base::Error, base::ErrorKind;

constexpr std::size_t most_extents = 1 << 20;
constexpr unsigned most_tree_blocks = 1 << 16, deepest_tree = 9;

bool is_sound(const SuperBlock& super) {
  const auto block_log = super.block_log, inode_log = super.inode_log;
  return block_log >= 9 && block_log <= 16 && super.block_bytes == 1u << block_log && inode_log >= 8 &&
         inode_log <= 11 && inode_log <= block_log && super.inode_bytes == 1u << inode_log &&
         super.inodes_per_block_log == block_log - inode_log && super.group_blocks_log <= 31 &&
         super.group_blocks != 0 && super.group_blocks <= 1ull << super.group_blocks_log && super.groups != 0 &&
         super.directory_block_log + block_log <= 16;
}

}  // namespace

Volume::Volume(block::BlockDevice& device) : device_(device) {
  const auto fail = [&](ErrorKind kind, std::string what) {
    throw Error(kind, fmt::format("the XFS on {} {}", device.name(), what)).on(device.name());
  };
  if (device.size() < sizeof(SuperBlock)) fail(ErrorKind::corrupt, "is too short");
  super_ = base::load<SuperBlock>(device.read(0, sizeof(SuperBlock)));
  if (super_.magic != super_magic || !is_sound(super_)) fail(ErrorKind::corrupt, "has a superblock that cannot be");
  const auto version = super_.version & version_mask;
  if (version != 4 && version != 5) fail(ErrorKind::unsupported, fmt::format("is of version {}", version));
  if (version == 5 && (super_.incompatible & ~known_incompatible))
    fail(ErrorKind::unsupported,
         fmt::format("has features that are not known ({:#x})", super_.incompatible & ~known_incompatible));
}

bool Volume::has_file_types() const {
  return is_version_5() ? super_.incompatible & incompatible_file_types : super_.features2 & feature2_file_types;
}

Error Volume::corrupt(const std::string& what, std::uint64_t offset) const {
  return Error(ErrorKind::corrupt, fmt::format("{}: {}", device_.name(), what)).on(device_.name()).at(offset);
}

std::uint64_t Volume::offset_of(std::uint64_t block) const {
  const std::uint64_t group = block >> super_.group_blocks_log;
  const std::uint64_t within = block & ((1ull << super_.group_blocks_log) - 1);
  if (group >= super_.groups || within >= super_.group_blocks)
    throw corrupt(fmt::format("block {:#x} lies in no allocation group", block), 0);
  return (group * super_.group_blocks + within) << super_.block_log;
}

std::uint64_t Volume::inode_offset(std::uint64_t number) const {
  const auto log = super_.inodes_per_block_log;
  const auto within = number & ((1ull << log) - 1);
  return offset_of(number >> log) + (within << super_.inode_log);
}

File Volume::file(std::uint64_t number) {
  const auto offset = inode_offset(number);
  const auto bytes = device_.read(offset, super_.inode_bytes);
  File file{number, base::load<Inode>(bytes), {}, {}};
  const auto& inode = file.inode;
  const bool is_new = inode.version == 3;
  if (inode.magic != inode_magic || inode.version == 0 || inode.version > 3 || (is_new && inode.number != number))
    throw corrupt(fmt::format("inode {} is none", number), offset);
  if (inode.flags & flag_realtime)
    throw Error(ErrorKind::unsupported, "a file lies on a realtime device").on(device_.name());
  const std::size_t core = is_new ? sizeof(Inode) : inode_bytes_before_version_3;
  const std::size_t end = inode.fork_offset ? core + inode.fork_offset * 8u : bytes.size();
  if (end > bytes.size()) throw corrupt(fmt::format("inode {} has a fork beyond its end", number), offset);
  const auto fork = std::span(bytes).subspan(core, end - core);
  if (inode.format == format_local)
    file.local.assign(fork.begin(), fork.end());
  else if (inode.format == format_extents)
    read_extents(file, fork);
  else if (inode.format == format_btree)
    read_tree(file, fork);
  std::ranges::sort(file.extents, {}, &Extent::file_block);
  return file;
}

void Volume::add(File& file, std::span<const std::byte> records, std::uint64_t count) {
  if (count > records.size() / sizeof(ExtentRecord) || file.extents.size() + count > most_extents)
    throw corrupt(fmt::format("inode {} has more extents than can be", file.number), 0);
  for (std::size_t i = 0; i < count; ++i) {
    const auto record = base::load<ExtentRecord>(records, i * sizeof(ExtentRecord));
    const std::uint64_t high = record.high, low = record.low;
    if ((high & ~(1ull << 63)) >> 9 >> (62 - super_.block_log))
      throw corrupt(fmt::format("inode {} has an extent beyond what a file can be", file.number), 0);
    file.extents.push_back(
        {(high & ~(1ull << 63)) >> 9, (high & 0x1ff) << 43 | low >> 21, low & 0x1fffff, (high >> 63) == 0});
  }
}

void Volume::read_extents(File& file, std::span<const std::byte> fork) {
  const bool many = file.inode.version == 3 && (file.inode.flags2 & flag2_many_extents);
  add(file, fork, many ? std::uint64_t(file.inode.many_extents) : std::uint64_t(file.inode.extents));
}

// The root lies in the inode: level and count, then keys, then as much room for block numbers.
void Volume::read_tree(File& file, std::span<const std::byte> fork) {
  const unsigned level = base::load<base::be16>(fork), count = base::load<base::be16>(fork, 2);
  const auto room = (fork.size() - 4) / 16;
  if (level == 0 || level > deepest_tree || count > room)
    throw corrupt(fmt::format("inode {} has a tree that cannot be", file.number), 0);
  unsigned left = most_tree_blocks;
  for (unsigned i = 0; i < count; ++i)
    read_tree_block(file, base::load<base::be64>(fork, 4 + room * 8 + i * 8), level - 1, left);
}

void Volume::read_tree_block(File& file, std::uint64_t block, unsigned level, unsigned& left) {
  const auto offset = offset_of(block);
  if (left-- == 0) throw corrupt(fmt::format("the tree of inode {} has no end", file.number), offset);
  const auto bytes = device_.read(offset, block_bytes());
  const auto header = base::load<TreeBlock>(bytes);
  const std::size_t begin = is_version_5() ? tree_header_5 : sizeof(TreeBlock);
  if (header.magic != (is_version_5() ? tree_magic_5 : tree_magic_4) || header.level != level)
    throw corrupt(fmt::format("the tree of inode {} leads to something else", file.number), offset);
  const auto rest = std::span<const std::byte>(bytes).subspan(begin);
  if (level == 0) return add(file, rest, header.count);
  const auto room = rest.size() / 16;
  if (header.count > room) throw corrupt(fmt::format("the tree of inode {} cannot be", file.number), offset);
  for (unsigned i = 0; i < header.count; ++i)
    read_tree_block(file, base::load<base::be64>(rest, room * 8 + i * 8), level - 1, left);
}

std::vector<std::byte> Volume::read(const File& file, std::uint64_t offset, std::size_t length) {
  std::vector<std::byte> out(length);
  const auto end = offset + length;
  for (const auto& extent : file.extents) {
    const auto begin_here = extent.file_block << super_.block_log;
    const auto end_here = (extent.file_block + extent.blocks) << super_.block_log;
    if (end_here <= offset || !extent.written) continue;
    if (begin_here >= end) break;
    const auto from = std::max(offset, begin_here), to = std::min(end, end_here);
    device_.read(offset_of(extent.volume_block) + (from - begin_here),
                 std::span(out).subspan(std::size_t(from - offset), std::size_t(to - from)));
  }
  return out;
}

}  // namespace hrvm::fs::xfs
