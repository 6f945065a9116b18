#include "fs/btrfs/inode.hpp"

#include <algorithm>
#include <array>

#include "hrvm/base/byte_size.hpp"

namespace hrvm::fs::btrfs {
namespace {

// By the uppermost four bits of a mode.
constexpr std::array<FileKind, 16> kinds_of_modes = [] {
  std::array<FileKind, 16> kinds;
  kinds.fill(FileKind::other);
  kinds[001] = FileKind::fifo;
  kinds[002] = FileKind::character_device;
  kinds[004] = FileKind::directory;
  kinds[006] = FileKind::block_device;
  kinds[010] = FileKind::regular;
  kinds[012] = FileKind::symlink;
  kinds[014] = FileKind::socket;
  return kinds;
}();

constexpr std::array<FileKind, 8> kinds_of_types = {
    FileKind::other,        FileKind::regular, FileKind::directory, FileKind::character_device,
    FileKind::block_device, FileKind::fifo,    FileKind::socket,    FileKind::symlink};
static_assert(kinds_of_types[entry_link] == FileKind::symlink);

constexpr std::uint32_t permissions = 07777, most_nanoseconds = 999'999'999;
constexpr unsigned minor_bits = 20;

Time time_of(const DiskTime& time) {
  return {std::int64_t(std::uint64_t(time.seconds)), std::min<std::uint32_t>(time.nanoseconds, most_nanoseconds)};
}

// Filesystems of before Linux 3.19 do not say when a file was made.
std::optional<Time> created(const InodeItem& inode) {
  const auto time = time_of(inode.created);
  return time == Time{} ? std::nullopt : std::optional(time);
}

DeviceNumber device_of(const InodeItem& inode) {
  const std::uint64_t number = inode.device;
  return {std::uint32_t(number >> minor_bits), std::uint32_t(number & ((1u << minor_bits) - 1))};
}

bool is_device(FileKind kind) { return kind == FileKind::character_device || kind == FileKind::block_device; }

}  // namespace

std::optional<InodeItem> find_inode(const Tree& tree, std::uint64_t number) {
  const auto at = tree.find({number, inode_item, 0});
  return at.valid() && at.data().size() >= sizeof(InodeItem) ? std::optional(base::load<InodeItem>(at.data()))
                                                             : std::nullopt;
}

FileKind kind_by_mode(std::uint32_t mode) { return kinds_of_modes[mode >> 12 & 0xf]; }

FileKind kind_by_type(std::uint8_t type) {
  return type < kinds_of_types.size() ? kinds_of_types[type] : FileKind::other;
}

Stat stat_of(Node node, const InodeItem& inode, std::uint32_t sector_bytes) {
  const auto kind = kind_by_mode(inode.mode);
  return {.node = {node.tree, node.id, inode.generation},
          .kind = kind,
          .mode = inode.mode & permissions,
          .uid = inode.user,
          .gid = inode.group,
          .links = inode.links,
          .device = is_device(kind) ? device_of(inode) : DeviceNumber{},
          .size_bytes = inode.size,
          .allocated_bytes = base::round_up(inode.stored_bytes, sector_bytes),
          .times = {time_of(inode.modified), time_of(inode.changed), time_of(inode.accessed), created(inode)}};
}

}  // namespace hrvm::fs::btrfs
