// The initramfs that a machine on a folder starts with: its own, and behind that, as the kernel takes several one after
// the other, an archive of the modules by which a root comes over virtiofs. Few systems have those in theirs.
#pragma once

#include <string>
#include <vector>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::launch {

// The files of the extra archive, in the tree and in the archive alike: the modules, compressed or not, with all that
// they need, and the indexes by which modprobe finds them. Empty where they are built into the kernel, or not there.
std::vector<std::string> root_modules(fs::FileSystem& root, const std::string& kernel_version);

// A cpio archive ("newc") of these files and the folders above them.
std::string cpio_archive(fs::FileSystem& root, const std::vector<std::string>& files);

}  // namespace hrvm::launch
