// Which version a kernel is whose name does not say so, and which initramfs belongs to a kernel that no menu names.
#pragma once

#include <string>
#include <vector>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::probe {

// By the kernel's or the initramfs's name, links followed ("/boot/vmlinuz" of SUSE), else by the modules in `root`:
// those whose pkgbase (Arch) or flavour (Alpine's "-lts") fits, or the only ones. Empty where nothing says. `root` may
// be null.
std::string find_kernel_version(fs::FileSystem* root, fs::FileSystem& boot, const std::string& kernel,
                                const std::vector<std::string>& initramfs);

// The initramfs of a version in `folder`; empty where there is none of a usual name.
std::string find_initramfs(fs::FileSystem& boot, const std::string& folder, const std::string& version);

}  // namespace hrvm::probe
