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
  std::string filesystem;  // "ext4", "tmpfs", "overlay"
  std::string mount_point;
  bool volatile_storage = false;  // tmpfs, ramfs, or an overlay whose upper directory lies on one
  std::string volatile_reason;    // "/ is an overlay whose changes are kept in memory (tmpfs on /run/overlay)"
  std::uint64_t total_bytes = 0, used_bytes = 0, available_bytes = 0;  // as in sys::Space
  bool read_only = false;                                              // nothing can be written there
  bool low_space = false;                                              // less is available than room_to_keep
  bool nearly_full = false;                                            // more than 85 % is used
  std::vector<std::string> disks;                                      // whole disks under it
  std::vector<std::string>
      alternatives;  // mounted, persistent, writable filesystems with room: "/mnt/data (412.0 GiB free)"
};

// How much of a store's filesystem is never given to machines: 5 %, at least 8 MiB and at most 1 GiB. Below that none
// is made or booted, and one that runs is paused.
std::uint64_t room_to_keep(const sys::Space& space);
// A machine that was paused for want of room goes on with half as much again, so that it gets somewhere.
std::uint64_t room_to_go_on(const sys::Space& space);
bool is_nearly_full(const sys::Space& space);

// "14 GiB of 252 GiB free on /srv".
std::string room_text(const StorageState& storage);

StorageState examine_storage(const sys::Host& host, const sys::Path& store);

}  // namespace hrvm::machine
