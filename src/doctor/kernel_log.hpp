// What the kernel, and before the journal runs also systemd, have said since the host started.
#pragma once

#include <string>

#include "hrvm/sys/host.hpp"

namespace hrvm::doctor {

// dmesg's text; of a recorded host /var/log/dmesg. Empty when it may not be read.
std::string kernel_log(const sys::Host& host);

}  // namespace hrvm::doctor
