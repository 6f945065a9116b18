#include "probe/roles.hpp"

#include <algorithm>
#include <iterator>

#include "probe/table/partition_types.hpp"

namespace hrvm::probe {
namespace {

constexpr Container containers[] = {
    {"LVM2_member", "lvm", "LVM"},
    {"LVM1_member", "lvm", "LVM"},
    {"zfs_member", "zfs", "ZFS"},
    {"linux_raid_member", "raid", "md RAID"},
    {"ddf_raid_member", "raid", "firmware RAID"},
    {"isw_raid_member", "raid", "firmware RAID"},
    {"crypto_LUKS", "luks", "LUKS", true},
    {"BitLocker", "bitlocker", "BitLocker", true},
    {"bcache", "bcache", "bcache"},
    {"VMFS_volume_member", "vmfs", "VMFS"},
    {"ceph_bluestore", "ceph", "Ceph"},
};

bool is_swap(std::string_view filesystem) { return filesystem == "swap" || filesystem == "swsuspend"; }

}  // namespace

const Container* find_container(std::string_view filesystem) {
  const auto* found = std::ranges::find(containers, filesystem, &Container::filesystem);
  return found == std::end(containers) ? nullptr : found;
}

std::string role_of(std::string_view type, const Signature* signature) {
  if (signature != nullptr) {
    if (const Container* container = find_container(signature->type)) return std::string(container->role);
    if (is_swap(signature->type)) return "swap";
  }
  const PartitionType* known = find_partition_type(type);
  return known ? std::string(known->role) : std::string();
}

}  // namespace hrvm::probe
