// The root of a guest that is a folder: virtiofsd, a process beside QEMU that ends with it, whatever QEMU ends by.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/launch/keep.hpp"
#include "hrvm/launch/launch_plan.hpp"
#include "hrvm/sys/fd.hpp"

namespace hrvm::launch {

// Serves one QEMU at `socket`, which is a descriptor that listens, or a path.
std::vector<std::string> virtiofsd_command(const SharedFolder& folder, const std::string& socket_option);

// Locks the layers as QEMU does the images of a disk, and starts virtiofsd, with the overlay mounted for it alone. It
// ends soon after the last process that has the returned descriptors open: QEMU is to inherit them. Error{busy} when
// another run has a layer, or the folder itself.
std::vector<sys::Fd> share_folder(const sys::Host& host, const LaunchPlan& plan, const Keep& keep);

// The same for a QEMU that somebody else starts: it ends with the one that connects, and keeps the locks until then.
void share_folder_alone(const sys::Host& host, const LaunchPlan& plan);

// The newest kernel of what the guest sees.
KernelFiles find_kernel_files(const std::vector<machine::Path>& stack);

// Makes the run folder with the plan's initramfs in it.
void write_initramfs(const SharedFolder& folder);

}  // namespace hrvm::launch
