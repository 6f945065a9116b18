// Who has a lock on a file, as far as this user may look into other processes: root into all of them.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "hrvm/sys/files.hpp"

namespace hrvm::sys {

struct LockHolder {
  pid_t pid = 0;
  std::vector<std::string> argv;  // of no process that has ended meanwhile; it may say anything
};

// By their descriptors, as an open file description's lock names no process (proc(5), fdinfo; /proc/locks has -1).
// Looks at every descriptor there is, so it is for the moment when something is in the way. Not this process.
std::vector<LockHolder> lock_holders(const Path& file);

}  // namespace hrvm::sys
