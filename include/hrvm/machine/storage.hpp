// Where a store may lie: what could lose a person's work, or change the very disk that is imported.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::machine {

struct StorageState {
  std::string filesystem;     // "ext4", "tmpfs", "overlay"
  std::string mount_point;
  bool volatile_storage = false;  // tmpfs, ramfs, or an overlay whose upper directory lies on one
  std::string volatile_reason;    // "/ is an overlay whose changes are kept in memory (tmpfs on /run/overlay)"
  std::uint64_t total_bytes = 0, used_bytes = 0, available_bytes = 0;  // as in sys::Space
  bool low_space = false;     // less than 1 GiB or 5 % free, whichever is smaller
  std::vector<std::string> disks;         // whole disks under it
  std::vector<std::string> alternatives;  // mounted, persistent, writable filesystems with room: "/mnt/data (412.0 GiB free)"
};

StorageState examine_storage(const sys::Host& host, const sys::Path& store);

}  // namespace hrvm::machine
