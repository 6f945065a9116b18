// Which of the network cards that a machine can have a Linux has drivers for: built into its kernel, or among its
// modules.
#pragma once

#include <string>
#include <vector>

#include "hrvm/probe/survey.hpp"
#include "probe/drivers/kernel_build.hpp"

namespace hrvm::probe {

// The best card first; the search ends with one that is surely driven.
std::vector<NicEvidence> find_nics(const KernelBuild& build, const std::string& version);

}  // namespace hrvm::probe
