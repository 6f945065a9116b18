// The detectors of the table in detectors.cpp, each in a file of its own.
#pragma once

#include "hrvm/probe/detector.hpp"

namespace hrvm::probe {

std::optional<System> detect_proxmox(fs::FileSystem& root);
std::optional<System> detect_os_release(fs::FileSystem& root);

}  // namespace hrvm::probe
