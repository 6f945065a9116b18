// Whether an XFS was unmounted: the log's last record says so, or there are changes that a mount would replay.
#pragma once

#include "fs/xfs/volume.hpp"

namespace hrvm::fs::xfs {

// False where the log lies on another device. A log that makes no sense counts as one to replay.
bool has_log_to_replay(Volume& volume);

}  // namespace hrvm::fs::xfs
