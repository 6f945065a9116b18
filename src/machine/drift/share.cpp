#include "hrvm/machine/share.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/sys/mounts.hpp"

namespace hrvm::machine {
namespace {

using base::Error;
using base::ErrorKind;

Error refusal(const Share& share, const std::string& reason) {
  return Error(ErrorKind::refused, fmt::format("{} is not shared with the guest: {}", share.folder, reason))
      .on(share.folder)
      .hint("share another folder, with a copy of what the guest is to have");
}

std::string real(const std::string& path) { return std::filesystem::weakly_canonical(path).string(); }

bool overlap(std::string_view one, std::string_view other) {
  return sys::lies_in(one, other) || sys::lies_in(other, one);
}

struct Mounts {
  std::vector<sys::Mount> all;

  bool are_of_one_filesystem(std::string_view one, std::string_view other) const {
    const auto a = mount_of(all, one), b = mount_of(all, other);
    return a && b && a->device_major == b->device_major && a->device_minor == b->device_minor;
  }
};

// A bind mount shows a filesystem under another name. What is mounted elsewhere than on the disk itself, as a volume on
// it, is known by going down.
bool lies_on(const sys::Host& host, const std::string& folder, const probe::Disk& disk,
             const std::vector<probe::Use>& uses) {
  const Mounts mounts{sys::mounts(host)};
  const auto is_its_filesystem = [&](const probe::Use& use) { return mounts.are_of_one_filesystem(folder, use.what); };
  if (std::ranges::any_of(uses, is_its_filesystem)) return true;
  const auto below = probe::disks_under(host, folder);
  return disk.kind == probe::DiskKind::disk && std::ranges::find(below, disk.path) != below.end();
}

void check_mounts(const sys::Host& host, const Share& share, const std::string& folder, const probe::Disk& disk) {
  auto mounts = probe::uses_of(host, disk);
  std::erase_if(mounts, [](const probe::Use& use) { return use.by != probe::UsedBy::mount; });
  if (lies_on(host, folder, disk, mounts))
    throw refusal(share, fmt::format("it lies on {}, which the machine is made of", disk.path));
  for (const auto& mount : mounts)
    if (sys::lies_in(mount.what, folder))
      throw refusal(share,
                    fmt::format("{}, which the machine is made of, is mounted in it at {}", disk.path, mount.what));
}

void check_own_disks(const sys::Host& host, const Definition& definition, const Share& share,
                     const std::string& folder) {
  for (const auto& identity : definition.disks) {
    if (identity.is_empty() || identity.is_folder()) continue;
    if (const auto disk = find_base(host, identity)) check_mounts(host, share, folder, *disk);
  }
}

// Images and folders: what is written through a folder's name is written to them.
void check_bases(const Share& share, const std::string& folder, const Definition& definition,
                 const std::string& owner) {
  for (const auto& identity : definition.disks) {
    if (identity.is_empty() || identity.kind == BaseKind::disk) continue;
    const auto files = identity.is_folder() ? std::vector{identity.path} : base_files(identity);
    for (const auto& file : files)
      if (sys::lies_in(real(file), folder) || (identity.is_folder() && overlap(real(file), folder)))
        throw refusal(share, fmt::format("the guest could write to {}, the base of {}", file, owner));
  }
}

void check_all_bases(const Store& store, const Share& share, const std::string& folder) {
  for (const auto& name : store.names()) {
    try {
      check_bases(share, folder, store.load(name).definition, name);
    } catch (const Error& error) {
      // A damaged machine is told by others.
      if (error.kind() == ErrorKind::refused) throw;
    }
  }
}

}  // namespace

void check_share(const sys::Host& host, const Store& store, const Definition& definition, const Share& share) {
  const auto type = sys::status(host.path(share.folder)).type;
  if (type == sys::FileType::missing)
    throw Error(ErrorKind::not_found, fmt::format("the folder to share is missing: {}", share.folder)).on(share.folder);
  if (type != sys::FileType::directory)
    throw Error(ErrorKind::usage, fmt::format("{} is no folder to share", share.folder)).on(share.folder);
  const auto folder = real(share.folder);
  if (overlap(real(store.folder()), folder))
    throw refusal(share, fmt::format("{} and the store, {}, lie in each other", folder, store.folder().string()));
  check_own_disks(host, definition, share, folder);
  if (share.is_writable) check_all_bases(store, share, folder);
}

}  // namespace hrvm::machine
