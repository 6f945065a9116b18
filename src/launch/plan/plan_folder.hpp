// The part of a plan that is a folder: what takes the place of disk, firmware and boot loader.
#pragma once

#include "hrvm/launch/launch_plan.hpp"

namespace hrvm::launch {

// Fills in plan.companions.folder and plan.disks.own. Its hardware, consoles and run folder are planned.
// Error{not_found} without virtiofsd or a kernel, Error{usage} for a firmware or bus that was asked for.
void plan_folder(LaunchPlan& plan, const machine::Definition& definition, const std::vector<machine::Path>& layers,
                 const LaunchRequest& request, const LaunchCircumstances& circumstances);

}  // namespace hrvm::launch
