// Ports of the host that lead into a guest, as the host has them now.
#pragma once

#include "hrvm/launch/launch_plan.hpp"

namespace hrvm::launch {

// QEMU is not to be started only to say that it cannot listen. Error{busy} for a port that somebody listens at, with
// one that is free; Error{permission} for one that only root may listen at.
void check_forwards(const LaunchPlan& plan);

}  // namespace hrvm::launch
