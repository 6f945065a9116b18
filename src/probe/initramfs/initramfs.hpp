// What an initramfs holds, as far as it decides whether a system finds its root: drivers by their names, and the few
// files that configure it. It is read as the Linux kernel does: archives one after the other, each plain or compressed.
//
// It streams: names are looked at on the way, and what was not asked for is forgotten. Memory: 1 MiB of the file, what
// the decoder takes (decoder.hpp), and at most 1 MiB of configuration.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::probe {

struct Initramfs {
  std::set<std::string> modules;                     // those that were asked for and are there
  std::map<std::string, std::string> configuration;  // "etc/crypttab", and what it says
  std::string kernel;                                // the version whose modules it holds; empty where it has none
  std::string incomplete;  // why it was not read to its end; empty when all asked for is known

  bool has(const std::string& module) const { return modules.contains(module); }
  // What dracut's etc/cmdline.d puts before the kernel's own command line; empty where there is none.
  std::string command_line() const;
};

// "usr/lib/modules/6.1.0/kernel/drivers/nvme/host/nvme-core.ko.xz" is "nvme_core"; empty for what is no module.
std::string module_name(std::string_view path);

// `path` is followed through links; of a unified kernel image the initramfs in it is read that
// belongs to `profile`. It stops at the last of
// `modules`, named as module_name does. Error{not_found} when there is no such file; what is broken in it, or unpacks
// to more than `most_unpacked` bytes, sets `incomplete`.
Initramfs read_initramfs(fs::FileSystem& files, const std::string& path, const std::set<std::string>& modules,
                         std::uint64_t most_unpacked = 1 << 30, unsigned profile = 0);

}  // namespace hrvm::probe
