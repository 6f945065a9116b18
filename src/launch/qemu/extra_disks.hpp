// The disks of a run besides its own: what only QEMU's command needs to know of them.
#pragma once

#include <string>
#include <vector>

#include "hrvm/launch/launch_plan.hpp"

namespace hrvm::launch {

// "extra1" for the first one, "extra1-1" … for what backs it where it is an image.
std::string extra_node_name(std::size_t extra, std::size_t index);

// What -device says of them, in order, each controller before what hangs on it.
std::vector<std::string> extra_devices(const LaunchPlan& plan);

// Whether one of them, or a device of the host, hangs on a USB controller.
bool wants_usb(const LaunchPlan& plan);

// Of what firmware starts from: 0 is tried first. The machine's own disks always have a place, this one and those that
// follow: OVMF deletes the boot entries of a disk that has none where another one has, and shows its loader no disk
// that has none.
int boot_index_of_own_disk(const LaunchPlan& plan);

}  // namespace hrvm::launch
