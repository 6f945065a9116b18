// Mounts and filesystems of the host: /proc/self/mountinfo (proc(5)), /proc/swaps, statfs(2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/sys/files.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::sys {

struct Mount {
  unsigned id = 0, parent = 0;
  unsigned device_major = 0, device_minor = 0;
  std::string root;                        // what part of the filesystem is mounted
  std::string mount_point;                 // unescaped
  std::string type;                        // "ext4", "overlay", "tmpfs"
  std::string source;                      // "/dev/sda2", "tmpfs"
  bool writable = false;                   // both the mount and its superblock
  std::vector<std::string> super_options;  // "lowerdir=…", "upperdir=…"
};

// Whether a path is a folder, or lies below it, as they are written: links are not followed.
bool lies_in(std::string_view path, std::string_view folder);

std::vector<Mount> mounts(const Host& host);
// The mount that `absolute_path` (as the host calls it) lies on: longest mount point, last one mounted.
std::optional<Mount> mount_of(const std::vector<Mount>& all, std::string_view absolute_path);

struct Swap {
  std::string path;
};
std::vector<Swap> swaps(const Host& host);

Space kernel_space(const Path& path);  // statvfs: what Host::space is on a real machine

struct Memory {
  std::uint64_t total_bytes = 0, available_bytes = 0;
};
Memory memory(const Host& host);        // /proc/meminfo
unsigned processors(const Host& host);  // /proc/cpuinfo or /sys/devices/system/cpu/online

}  // namespace hrvm::sys
