// Whether what is written to a path is gone after a reboot.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/sys/mounts.hpp"

namespace hrvm::machine {

// Why it is; nullopt where it is kept. Follows overlays to their upper directory and loop devices to their file. What
// cannot be known is taken as volatile: losing changes is worse than one question too many.
std::optional<std::string> volatile_reason(const sys::Host& host, const std::vector<sys::Mount>& mounts,
                                           const std::string& absolute_path);

}  // namespace hrvm::machine
