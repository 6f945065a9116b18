// Which systems have their root in a filesystem.
#pragma once

#include <string>
#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/fs/file_system.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::probe {

// At most one at the top of it, and one in each of its subvolumes: "p3", "p3:@rootfs". Snapshots of a root are not
// systems of their own unless they can be written to. The one that is mounted by default comes first.
std::vector<System> find_systems(const std::string& place, fs::FileSystem& files, std::vector<base::Finding>& findings);

}  // namespace hrvm::probe
