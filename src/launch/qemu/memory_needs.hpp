// What a guest's memory that was saved has to find again where it goes on: all that the guest has seen of its machine.
// It is told by QEMU's command, without what is only the host's: names, sockets, and the files of its own disks.
#pragma once

#include <string>
#include <vector>

#include "hrvm/launch/launch_plan.hpp"
#include "hrvm/launch/qmp.hpp"
#include "hrvm/machine/definition.hpp"

namespace hrvm::launch {

// Of a command of ours. What else is in it is left out.
std::vector<machine::Mark> needs_of(const std::vector<std::string>& command);

// Of a QEMU that runs, with its version and, where the guest has the host's own processor, that.
std::vector<machine::Mark> needs_of_run(const sys::Host& host, Qmp& qmp);
// Of a boot as it is planned.
std::vector<machine::Mark> needs_of_plan(const sys::Host& host, const LaunchPlan& plan);

// "memory: 512M then, 1024M now", for people; empty where a guest can go on.
std::vector<std::string> differences(const std::vector<machine::Mark>& then, const std::vector<machine::Mark>& now);

// The machine type of a QEMU that runs, as its name with the version is: "pc-q35-7.2" for "q35".
std::string versioned_machine_type(Qmp& qmp, const std::vector<machine::Mark>& needs);

}  // namespace hrvm::launch
