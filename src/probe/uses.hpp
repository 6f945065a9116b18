// Who uses a disk, for callers that have the host's block devices already.
#pragma once

#include "block_nodes.hpp"
#include "hrvm/probe/disk.hpp"

namespace hrvm::probe {

std::vector<Use> uses_of(const sys::Host& host, const BlockNodes& nodes, const Disk& disk);

}  // namespace hrvm::probe
