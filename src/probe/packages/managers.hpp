// What each package manager has to tell: dpkg.cpp, rpm.cpp, pacman.cpp, apk.cpp. Calls throw base::Error for a database
// that cannot be read.
#pragma once

#include "hrvm/fs/file_system.hpp"
#include "hrvm/probe/packages.hpp"
#include "probe/packages/asked_paths.hpp"
#include "probe/packages/package_list.hpp"

namespace hrvm::probe {

// False where the root has no database of this manager.
bool read_dpkg(fs::FileSystem& root, PackageList& list);
bool read_rpm(fs::FileSystem& root, PackageList& list);
bool read_pacman(fs::FileSystem& root, PackageList& list);
bool read_apk(fs::FileSystem& root, PackageList& list);

// Claim every path that a package has.
void claim_dpkg(fs::FileSystem& root, AskedPaths& paths);
void claim_rpm(fs::FileSystem& root, AskedPaths& paths);
void claim_pacman(fs::FileSystem& root, AskedPaths& paths);
void claim_apk(fs::FileSystem& root, AskedPaths& paths);

}  // namespace hrvm::probe
