// What a run was started with, kept in its run folder while it lasts: the machine may be set otherwise meanwhile, and
// was perhaps never set so, as an option of boot holds for one boot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/base/time.hpp"
#include "hrvm/launch/launch_plan.hpp"

namespace hrvm::launch {

struct RunRecord {
  base::Time since;
  std::optional<std::string> snapshot;  // that it shows, in a throw-away layer
  std::uint64_t memory_bytes = 0, cpus = 0;
  std::string net, accel;
  std::vector<std::string> forwards;  // "2222:22"
  std::string vnc, console;           // a socket's path, "127.0.0.1:5901", "terminal"; empty: none
};

// Before QEMU starts.
void write_run_record(const LaunchPlan& plan, base::Time since);

// Null where there is none, or none that makes sense. Only to be believed while the run's layer is locked.
std::optional<RunRecord> run_record(const machine::Path& run_folder);

}  // namespace hrvm::launch
