// What was saved of a guest's memory, on its way to QEMU by a process of its own that holds it to its hash meanwhile:
// the file is read once. The stream's end is held back until all of it is known to be what was saved; where it is not,
// that never comes, and QEMU ends before its guest goes on.
#pragma once

#include <optional>

#include "hrvm/base/error.hpp"
#include "hrvm/launch/launch_plan.hpp"
#include "hrvm/sys/fd.hpp"

namespace hrvm::launch {

// What QEMU is to read from. Its run folder is there.
sys::Fd feed_memory(const LaunchPlan& plan);

// Error{corrupt} once it was found to be another than was saved; nullopt before, and of a run without memory.
std::optional<base::Error> memory_differs(const LaunchPlan& plan);

}  // namespace hrvm::launch
