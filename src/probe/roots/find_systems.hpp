// Which systems have their root in a filesystem.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/fs/file_system.hpp"
#include "hrvm/probe/detector.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::probe {

// At most one at the top of it, and one in each of its subvolumes: "p3", "p3:@rootfs". Snapshots of a root are not
// systems of their own unless they can be written to, or one is mounted by default. The one that is mounted by default
// comes first.
std::vector<System> find_systems(const std::string& place, fs::FileSystem& files, std::vector<base::Finding>& findings);

// The one whose root this is; nullopt where no detector knows it.
std::optional<System> find_system(const Root& root);

// Those that can be a root: not a snapshot that cannot be written to, unless it is mounted by default. That comes
// first.
std::vector<fs::Subvolume> roots_among(std::vector<fs::Subvolume> subvolumes);

}  // namespace hrvm::probe
