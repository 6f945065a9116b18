// What all ways of running have in common: the run folder, the command, and what QEMU says when it does not start.
#pragma once

#include <string>

#include "hrvm/base/error.hpp"
#include "hrvm/launch/run.hpp"

namespace hrvm::launch {

// QEMU's command, and what must stay open until QEMU has it.
struct PreparedCommand {
  sys::Command command;
  std::vector<sys::Fd> held;
};
// With its run folder made, 0700: the sockets in it are open to whoever can enter. What runs beside QEMU runs.
PreparedCommand prepare_command(const sys::Host& host, const LaunchPlan& plan, const Keep& keep);

// True once QEMU has the layer: from then on the lock that it holds says that the machine runs.
bool has_taken_layer(const LaunchPlan& plan);

// QEMU in a session of its own, its words going into a file in the run folder.
sys::Child spawn_apart(const sys::Host& host, const LaunchPlan& plan, const Keep& keep, bool ends_with_us);
// QEMU's log so far, without its lines of information.
std::string words_of_qemu(const LaunchPlan& plan);

// Error{external}: QEMU's own words, and what to do about a cause that is known; or that it was not given all of the
// memory that it was to go on from.
base::Error early_end(int exit_status, const LaunchPlan& plan);

// By QMP, then SIGTERM, then SIGKILL. It has ended and is reaped when this returns.
void end_qemu(sys::Child& qemu, const LaunchPlan& plan);

}  // namespace hrvm::launch
