// Which signatures several devices bear with one UUID by right: members of an array, a pool or a filesystem over
// several disks. Of all others a UUID that is there twice is that of a copy.
#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

namespace hrvm::probe {

// `filesystem` is libblkid's word.
inline bool shares_its_uuid(std::string_view filesystem) {
  constexpr std::string_view shared[] = {"linux_raid_member", "ddf_raid_member", "isw_raid_member",
                                         "zfs_member",        "btrfs",           "bcachefs"};
  return std::ranges::find(shared, filesystem) != std::end(shared);
}

}  // namespace hrvm::probe
