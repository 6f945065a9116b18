// What a plan needs to know of the host, found there: the programs that a guest is run by, and what the files allow.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/launch/launch_plan.hpp"

namespace hrvm::launch {

// qemu-system-x86_64, or the name and place that Red Hat gives it.
std::optional<std::string> find_qemu(const sys::Host& host);

// virtiofsd has several homes, and is on PATH in none of the distributions that have one of these.
std::optional<std::string> find_virtiofsd(const sys::Host& host);

// `bases`: of all the machine's disks, in order. `nvram`: the variables that will boot, where there are any yet.
LaunchCircumstances gather(const sys::Host& host, const machine::Machine& machine,
                           const std::vector<probe::Disk>& bases, const std::optional<machine::Path>& nvram);

}  // namespace hrvm::launch
