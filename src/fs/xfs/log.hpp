// What the log of an XFS that was not unmounted has for it, done in memory.
#pragma once

#include <memory>

#include "fs/xfs/patched_device.hpp"
#include "fs/xfs/volume.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs::xfs {

struct ReplayedLog {
  JournalState state = JournalState::clean;
  std::unique_ptr<PatchedDevice> device;  // as the log makes it; nullptr where it is as it lies
};

// Clean where the log lies on another device. Ignored where it is damaged or has what is not understood, or promises a
// change to files that is not done yet. `device` must outlive it.
ReplayedLog replay_log(block::BlockDevice& device);

}  // namespace hrvm::fs::xfs
