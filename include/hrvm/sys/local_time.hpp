// The clock on the wall.
#pragma once

#include <chrono>

#include "hrvm/sys/host.hpp"

namespace hrvm::sys {

// What local time is ahead of UTC at this time, by the host's TZ, else as the system has it.
std::chrono::seconds utc_offset(const Host& host, base::Time time);

}  // namespace hrvm::sys
