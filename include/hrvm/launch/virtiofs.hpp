// A folder that is the root of a guest, and folders that it can mount: for each a virtiofsd, a process beside QEMU that
// ends with it, whatever QEMU ends by.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/launch/keep.hpp"
#include "hrvm/launch/launch_plan.hpp"
#include "hrvm/sys/fd.hpp"

namespace hrvm::launch {

// Serves one QEMU at the socket, which is a descriptor that listens, or a path.
std::vector<std::string> virtiofsd_command(const SharedFolder& folder, const std::string& socket_option);
std::vector<std::string> virtiofsd_command(const PlannedShare& share, const std::string& socket_option);

// Locks the layers as QEMU does the images of a disk, and starts virtiofsd, with the overlay mounted for it alone. It
// ends soon after the last process that has the returned descriptors open: QEMU is to inherit them. Error{busy} when
// another run has a layer, or the folder itself.
std::vector<sys::Fd> share_folder(const sys::Host& host, const LaunchPlan& plan, const Keep& keep);

// Starts a virtiofsd for each folder that the guest can mount, with the same tie to who has the returned descriptors. A
// run's locks are none of theirs.
std::vector<sys::Fd> start_shares(const sys::Host& host, const LaunchPlan& plan);

// Both for a QEMU that somebody else starts: they end with the one that connects, and keep the locks until then.
void share_folders_alone(const sys::Host& host, const LaunchPlan& plan);

// The newest kernel of what the guest sees.
KernelFiles find_kernel_files(const std::vector<machine::Path>& stack);

// Makes the run folder with the plan's initramfs in it.
void write_initramfs(const SharedFolder& folder);

}  // namespace hrvm::launch
