// A folder that holds the root filesystem of a system: what it is, and the kernel by which it starts without a boot
// loader.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/fs/file_system.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::probe {

struct FolderKernel {
  std::string version;    // "6.1.0-50-cloud-amd64"; empty where its name does not say
  std::string kernel;     // "/boot/vmlinuz-6.1.0-50-cloud-amd64"
  std::string initramfs;  // empty: none belongs to it
};

// The newest by version that has an initramfs, else the newest: those in /boot, those that entries of the Boot Loader
// Specification name, those that lie beside their modules, then /vmlinuz and /boot/vmlinuz. nullopt where there is
// none.
std::optional<FolderKernel> find_folder_kernel(fs::FileSystem& root);

// The system whose root this is, with the kernel that it starts by, and what may keep it from that: no kernel, one
// without a driver for such a root ("folder-no-kernel", "folder-no-virtiofs": errors), an fstab that waits for disks.
// Error{unsupported} that says what is missing when it is no root filesystem: an os-release or the like and an init to
// start. Nothing of it is executed; its initramfs is looked into unless it is to be quick.
Contents read_folder(fs::FileSystem& root, const std::string& path, Thoroughness thoroughness = Thoroughness::full);

// The same in a confined child, as a disk is surveyed: what breaks it costs the finding "probe-died". `files` is the
// view of folder.path that was opened before.
Survey survey_folder(fs::FileSystem& files, const Disk& folder, Thoroughness thoroughness = Thoroughness::full);

}  // namespace hrvm::probe
