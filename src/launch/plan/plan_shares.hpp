#pragma once

#include "hrvm/launch/launch_plan.hpp"

namespace hrvm::launch {

// The folders that the guest can mount. Throws as plan_launch.
void plan_shares(LaunchPlan& plan, const LaunchRequest& request, const LaunchCircumstances& circumstances);

}  // namespace hrvm::launch
