// A process that runs beside QEMU for it alone: swtpm, virtiofsd.
#pragma once

#include "hrvm/sys/fd.hpp"
#include "hrvm/sys/runner.hpp"

namespace hrvm::launch {

// The child ends soon after the last process that has the returned descriptor open: by itself, else by SIGTERM, else by
// SIGKILL.
sys::Fd tie_to_lifeline(const sys::Child& child);

}  // namespace hrvm::launch
