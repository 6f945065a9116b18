// Landlock (Linux 5.13): a process gives up the host's files but those below some folders.
#pragma once

#include <vector>

#include "hrvm/sys/fd.hpp"

namespace hrvm::sys {

// From here on this process opens nothing but what lies below these folders, and that for reading. A kernel that knows
// no Landlock changes nothing.
void read_below_only(const std::vector<Fd>& folders);

}  // namespace hrvm::sys
