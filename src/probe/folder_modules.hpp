// Whether the kernel of a folder has what a guest mounts it by as its root, when it does: virtiofs over PCI.
#pragma once

#include <string>
#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/probe/folder.hpp"

namespace hrvm::probe {

// "folder-no-virtiofs" and "folder-no-initramfs" (errors: such a kernel does not get there), "folder-initramfs" (a
// note: hrvm hands the modules to it). What the kernel's own folder and its initramfs say; where `quick`, or where that
// cannot be read, the configuration of the tool that made it. `path` is the folder's on the host.
void add_root_modules(fs::FileSystem& root, const std::string& path, const FolderKernel& kernel, bool quick,
                      std::vector<base::Finding>& findings);

}  // namespace hrvm::probe
