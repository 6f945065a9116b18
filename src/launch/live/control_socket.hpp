// The QMP socket by which hrvm gives orders to a machine that runs.
#pragma once

#include "hrvm/launch/qmp.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::launch {

// Error{busy} when its QEMU does not answer there.
Qmp control_of(const machine::Path& run_folder);

}  // namespace hrvm::launch
