// Which of a disk's names stays the same when it is plugged in elsewhere.
#pragma once

#include <string>
#include <vector>

#include "hrvm/sys/host.hpp"
#include "probe/disk/block_nodes.hpp"
#include "probe/disk/udev.hpp"

namespace hrvm::probe {

// The best of some links: by-id before by-path, and of by-id names the ones that people read (model and serial) before
// WWNs.
// "" when none is stable.
std::string choose_stable(const std::vector<std::string>& links);

// Of the links to `node` under /dev/disk and in udev's record; the node's own path where there are none.
std::string stable_path(const sys::Host& host, const BlockNodes& nodes, const BlockNode& node, const UdevRecord& udev);

}  // namespace hrvm::probe
