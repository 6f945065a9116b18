#include "hrvm/machine/storage.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/sys/mounts.hpp"
#include "machine/store/volatility.hpp"

namespace hrvm::machine {
namespace {

constexpr std::uint64_t least_kept = 8 * base::MiB, most_kept = base::GiB;
constexpr std::uint64_t room_for_machines = base::GiB;  // in what is offered instead
constexpr unsigned nearly_full_percent = 85;
constexpr std::uint64_t most_alternatives = 5;

// Kept by something, and able to hold large files with an owner and a mode.
bool could_hold_a_store(const sys::Host& host, const std::vector<sys::Mount>& mounts, const sys::Mount& mount) {
  static const std::set<std::string> persistent = {"ext2", "ext3", "ext4", "xfs",  "btrfs", "zfs",     "f2fs",
                                                   "jfs",  "nfs",  "nfs4", "ceph", "ocfs2", "bcachefs"};
  return mount.writable && persistent.contains(mount.type) && !volatile_reason(host, mounts, mount.mount_point);
}

struct Room {
  std::string mount_point;
  std::uint64_t available_bytes;
};

// Mounts that cannot be asked (stale NFS) are none.
std::uint64_t room_in(const sys::Host& host, const std::string& mount_point) {
  try {
    return host.space(host.path(mount_point)).available_bytes;
  } catch (const base::Error&) {
    return 0;
  }
}

std::vector<Room> rooms(const sys::Host& host, const std::vector<sys::Mount>& mounts) {
  std::vector<Room> found;
  std::set<std::pair<unsigned, unsigned>> filesystems;  // mounted in several places, listed once
  for (const auto& mount : mounts) {
    if (!could_hold_a_store(host, mounts, mount)) continue;
    if (!filesystems.insert({mount.device_major, mount.device_minor}).second) continue;
    const auto room = room_in(host, mount.mount_point);
    if (room >= room_for_machines) found.push_back({mount.mount_point, room});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const Room& a, const Room& b) { return a.available_bytes > b.available_bytes; });
  if (found.size() > most_alternatives) found.resize(most_alternatives);
  return found;
}

// The store itself may not be made yet; what it will lie on is known by its nearest parent, with links resolved.
std::string resolved(const sys::Host& host, sys::Path store) {
  sys::Path below;
  while (sys::status(host.path(store.string())).type == sys::FileType::missing && store.has_relative_path()) {
    below = store.filename() / below;
    store = store.parent_path();
  }
  try {
    return (sys::Path(host.host_path(sys::canonical(host.path(store.string())))) / below).lexically_normal();
  } catch (const base::Error&) {
    return store / below;
  }
}

}  // namespace

std::uint64_t room_to_keep(const sys::Space& space) {
  return std::clamp(space.total_bytes / 20, least_kept, most_kept);
}

std::uint64_t room_to_go_on(const sys::Space& space) { return room_to_keep(space) / 2 * 3; }

bool is_nearly_full(const sys::Space& space) {
  return space.used_bytes > (space.used_bytes + space.available_bytes) / 100 * nearly_full_percent;
}

std::string room_text(const StorageState& storage) {
  return fmt::format("{} of {} free on {}", base::format_bytes(storage.available_bytes),
                     base::format_bytes(storage.total_bytes), storage.mount_point);
}

StorageState examine_storage(const sys::Host& host, const sys::Path& store) {
  const auto mounts = sys::mounts(host);
  const auto path = resolved(host, store);
  const auto space = host.space(store);
  StorageState state;
  if (const auto mount = sys::mount_of(mounts, path)) {
    state.filesystem = mount->type;
    state.mount_point = mount->mount_point;
    state.read_only = !mount->writable;
  }
  if (const auto reason = volatile_reason(host, mounts, path)) {
    state.volatile_storage = true;
    state.volatile_reason = *reason;
  }
  state.total_bytes = space.total_bytes;
  state.used_bytes = space.used_bytes;
  state.available_bytes = space.available_bytes;
  state.low_space = space.available_bytes < room_to_keep(space);
  state.nearly_full = is_nearly_full(space);
  state.disks = probe::disks_under(host, path);
  for (const auto& room : rooms(host, mounts))
    if (room.mount_point != state.mount_point)
      state.alternatives.push_back(
          fmt::format("{} ({} free)", room.mount_point, base::format_bytes(room.available_bytes)));
  return state;
}

}  // namespace hrvm::machine
