// What the tool that makes a system's initramfs is configured to put into it: cheap evidence, where none is unpacked.
#pragma once

#include <set>
#include <string>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::probe {

enum class InitramfsScope {
  unknown,
  every_bus,      // drivers for whatever machine the system may be in
  this_hardware,  // what the machine needed on which it was made
};

struct InitramfsPolicy {
  InitramfsScope scope = InitramfsScope::unknown;
  std::set<std::string> modules;  // put in beside that, by name
  std::string because;            // "/etc/initramfs-tools/initramfs.conf says MODULES=most"; empty for unknown
};

InitramfsPolicy read_initramfs_policy(fs::FileSystem& root);

}  // namespace hrvm::probe
