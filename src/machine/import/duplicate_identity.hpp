// Two disks of one machine that bear filesystems of the same UUID: a disk and its copy. A guest mounts the one or the
// other, and LVM refuses both.
#pragma once

#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::machine {

// "duplicate-identity", once for each disk that repeats what one before it has. Members of arrays, pools and of a btrfs
// have one UUID by right.
std::vector<base::Finding> duplicate_identities(const std::vector<probe::Survey>& surveys);

}  // namespace hrvm::machine
