#include "fs/xfs/inode.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"

namespace hrvm::fs::xfs {
namespace {

constexpr std::int64_t big_time_start = -(1ll << 31);  // 1901
constexpr std::uint32_t nanoseconds = 1'000'000'000;

// By the four bits of a mode above its permissions.
constexpr std::array<FileKind, 16> kinds = [] {
  std::array<FileKind, 16> all{};
  all.fill(FileKind::other);
  all[1] = FileKind::fifo;
  all[2] = FileKind::character_device;
  all[4] = FileKind::directory;
  all[6] = FileKind::block_device;
  all[8] = FileKind::regular;
  all[10] = FileKind::symlink;
  all[12] = FileKind::socket;
  return all;
}();

Time time_of(const DiskInode& core, std::uint64_t time) {
  if (core.version == 3 && (core.flags2 & flag2_big_time))
    return {std::int64_t(time / nanoseconds) + big_time_start, std::uint32_t(time % nanoseconds)};
  return {std::int32_t(time >> 32), std::min(std::uint32_t(time), nanoseconds - 1)};
}

Times times_of(const DiskInode& core) {
  Times times{time_of(core, core.modified), time_of(core, core.changed), time_of(core, core.accessed), std::nullopt};
  if (core.version == 3) times.created = time_of(core, core.created);
  return times;
}

DeviceNumber device_of(const Inode& inode) {
  const auto fork = inode.bytes(Fork::data);
  if (inode.format(Fork::data) != format_device || fork.size() < 4) return {};
  const std::uint32_t number = base::load<base::be32>(fork);
  return {number >> 18 & 0x3fff, number & 0x3ffff};
}

}  // namespace

Inode::Inode(Volume& volume, std::uint64_t number)
    : number_(number), offset_(volume.inode_offset(number)), end_(volume.super().inode_bytes) {
  const auto bytes = std::span(bytes_).first(end_);
  volume.metadata().read(offset_, bytes);
  core_ = base::load<DiskInode>(bytes);
  const bool is_new = core_.version == 3;
  if (core_.magic != inode_magic || core_.version == 0 || core_.version > 3 || (is_new && core_.number != number))
    throw volume.corrupt(fmt::format("inode {} is none", number), offset_);
  if (core_.mode == 0)
    throw base::Error(base::ErrorKind::not_found, fmt::format("{}: inode {} is free", volume.device().name(), number))
        .on(volume.device().name())
        .at(offset_);
  core_bytes_ = is_new ? sizeof(DiskInode) : inode_bytes_before_version_3;
  data_end_ = core_.fork_offset ? core_bytes_ + core_.fork_offset * 8u : end_;
  if (data_end_ > end_) throw volume.corrupt(fmt::format("inode {} has a fork beyond its end", number), offset_);
}

FileKind Inode::kind() const { return kinds[core_.mode >> 12]; }

std::span<const std::byte> Inode::bytes(Fork fork) const {
  const auto all = std::span(bytes_).first(end_);
  return fork == Fork::data ? all.subspan(core_bytes_, data_end_ - core_bytes_) : all.subspan(data_end_);
}

std::uint64_t Inode::extents(Fork fork) const {
  if (fork == Fork::data && has_many_extents()) return core_.many_extents;
  if (fork == Fork::data || has_many_extents()) return core_.extents;
  return core_.attribute_extents;
}

Stat stat_of(const Volume& volume, const Inode& inode) {
  const auto& core = inode.core();
  Stat stat;
  stat.node = {0, inode.number(), core.generation};
  stat.kind = inode.kind();
  stat.mode = core.mode & 07777u;
  stat.uid = core.uid;
  stat.gid = core.gid;
  stat.links = core.version == 1 ? core.links_of_version_1 : core.links;
  stat.device = device_of(inode);
  stat.size_bytes = core.size;
  stat.allocated_bytes = core.blocks << volume.block_log();
  stat.times = times_of(core);
  return stat;
}

}  // namespace hrvm::fs::xfs
