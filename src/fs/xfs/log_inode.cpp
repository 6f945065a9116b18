#include "fs/xfs/log_inode.hpp"

#include <algorithm>
#include <bit>

#include "fs/xfs/log_format.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::xfs {
namespace {

using base::Error, base::ErrorKind;

constexpr std::size_t flush_count = 30, flush_count_end = 0xffff;  // of versions before 3

Error damaged() { return Error(ErrorKind::corrupt, "the log has an inode that cannot be"); }

// The core in the log is a DiskInode with little-endian numbers. These are turned.
struct Field {
  std::size_t offset, width;
};
constexpr std::array always = {Field{0, 2},  Field{2, 2},  Field{6, 2},  Field{8, 4},  Field{12, 4},
                               Field{16, 4}, Field{20, 2}, Field{22, 2}, Field{56, 8}, Field{64, 8},
                               Field{72, 4}, Field{84, 4}, Field{88, 2}, Field{90, 2}, Field{92, 4}};
constexpr std::array few_extents = {Field{76, 4}, Field{80, 2}};
constexpr std::array many_extents = {Field{24, 8}, Field{76, 4}};
constexpr std::array version_3 = {Field{104, 8}, Field{120, 8}, Field{128, 4}, Field{152, 8}};
constexpr std::array old_times = {Field{32, 4}, Field{36, 4}, Field{40, 4}, Field{44, 4}, Field{48, 4}, Field{52, 4}};
constexpr std::array old_birth = {Field{144, 4}, Field{148, 4}};
constexpr std::array big_times = {Field{32, 8}, Field{40, 8}, Field{48, 8}, Field{144, 8}};

void turn(std::span<std::byte> core, std::span<const Field> fields) {
  for (const auto& field : fields) std::ranges::reverse(core.subspan(field.offset, field.width));
}

// The list of inodes that have lost their last name, and the checksum, stay as they are.
void replace_core(std::span<std::byte> inode, std::span<const std::byte> logged, std::uint64_t place) {
  std::array<std::byte, sizeof(DiskInode)> core{};
  const bool is_new = logged.size() == sizeof(DiskInode);
  std::ranges::copy(logged, core.begin());
  turn(core, always);
  if (is_new) turn(core, version_3);
  const std::uint64_t flags = is_new ? std::uint64_t(base::load<DiskInode>(core).flags2) : 0;
  turn(core, flags & flag2_many_extents ? std::span<const Field>(many_extents) : few_extents);
  turn(core, flags & flag2_big_time ? std::span<const Field>(big_times) : old_times);
  if (is_new && !(flags & flag2_big_time)) turn(core, old_birth);
  auto disk = base::load<DiskInode>(core);
  const auto before = base::load<DiskInode>(inode);
  disk.next_unlinked = before.next_unlinked;
  disk.crc = before.crc;
  if (is_new) disk.log_place = place;
  std::ranges::copy(std::as_bytes(std::span(&disk, 1)).first(is_new ? sizeof(DiskInode) : inode_bytes_before_version_3),
                    inode.begin());
}

bool is_newer(const DiskInode& core, std::span<const std::byte> logged, std::uint64_t place) {
  if (core.version == 3) return core.log_place != ~0ull && core.log_place > place;
  const std::uint16_t here = core.many_extents & flush_count_end;
  const std::uint16_t there = base::load<base::le16>(logged, flush_count);
  return there < here && !(here == flush_count_end && there < flush_count_end / 2);
}

// In memory the root of a tree of extents has the header of a whole block, and room for as many as it has.
void put_tree_root(const Volume& volume, std::span<std::byte> fork, std::span<const std::byte> logged) {
  const std::size_t header = volume.is_version_5() ? tree_header_5 : sizeof(TreeBlock);
  if (logged.size() < header || fork.size() < sizeof(TreeRoot)) throw damaged();
  const auto block = base::load<TreeBlock>(logged);
  const std::size_t room = (logged.size() - header) / 16, disk_room = (fork.size() - sizeof(TreeRoot)) / 16;
  const std::size_t count = block.count;
  if (count > room || count > disk_room) throw damaged();
  base::store(fork, 0, TreeRoot{block.level, block.count});
  const auto keys = logged.subspan(header, count * 8), numbers = logged.subspan(header + room * 8, count * 8);
  std::ranges::copy(keys, fork.subspan(sizeof(TreeRoot)).begin());
  std::ranges::copy(numbers, fork.subspan(sizeof(TreeRoot) + disk_room * 8).begin());
}

void put_fork(const Volume& volume, std::span<std::byte> fork, std::span<const std::byte> logged, bool is_tree) {
  if (is_tree) return put_tree_root(volume, fork, logged);
  if (logged.size() > fork.size()) throw damaged();
  std::ranges::copy(logged, fork.begin());
}

std::span<const std::byte> region(const Item& item, std::size_t i) {
  if (i >= item.size()) throw damaged();
  return item[i];
}

}  // namespace

void replay_inode(const Volume& volume, const Item& item, std::uint64_t place, std::span<std::byte> inode) {
  const auto header = base::load<InodeItem>(item[0]);
  const auto old = base::load<DiskInode>(inode);
  const auto logged = region(item, 1);
  const bool is_sound = old.magic == inode_magic && (logged.size() == 96 || logged.size() == sizeof(DiskInode)) &&
                        base::load<base::le16>(logged) == inode_magic && (old.version == 3) == (logged.size() > 96);
  if (!is_sound) throw damaged();
  if (is_newer(old, logged, place)) return;
  replace_core(inode, logged, place);
  const auto core = base::load<DiskInode>(inode);
  const std::size_t begin = core.version == 3 ? sizeof(DiskInode) : inode_bytes_before_version_3;
  const std::size_t middle = core.fork_offset ? begin + core.fork_offset * 8u : inode.size();
  if (middle > inode.size()) throw damaged();
  const auto data = inode.subspan(begin, middle - begin), attributes = inode.subspan(middle);
  const std::uint32_t fields = header.fields;
  if ((fields & field_device) && data.size() >= 4) base::store(data, 0, base::be32(std::uint32_t(header.device)));
  if (header.regions == 2) return;
  std::size_t next = 2;
  if (fields & fields_of_data) put_fork(volume, data, region(item, next++), fields & field_tree);
  if (fields & fields_of_attributes) put_fork(volume, attributes, region(item, next), fields & field_attribute_tree);
}

void make_inode(const Volume& volume, std::uint64_t number, std::uint32_t generation, std::span<std::byte> inode) {
  std::ranges::fill(inode, std::byte{});
  DiskInode core{};
  core.magic = inode_magic;
  core.version = volume.is_version_5() ? 3 : 2;
  core.generation = generation;
  core.next_unlinked = ~0u;
  if (volume.is_version_5()) core.number = number;
  std::ranges::copy(std::as_bytes(std::span(&core, 1)), inode.begin());
}

}  // namespace hrvm::fs::xfs
