// Who uses a disk, for callers that have the host's block devices already.
#pragma once

#include "hrvm/probe/disk.hpp"
#include "probe/disk/block_nodes.hpp"

namespace hrvm::probe {

std::vector<Use> uses_of(const sys::Host& host, const BlockNodes& nodes, const Disk& disk);

}  // namespace hrvm::probe
