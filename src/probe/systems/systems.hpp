// The detectors of the table in detectors.cpp, each in a file of its own.
#pragma once

#include "hrvm/probe/detector.hpp"

namespace hrvm::probe {

std::optional<System> detect_proxmox(const Root& root);
std::optional<System> detect_os_release(const Root& root);
std::optional<System> detect_nixos(const Root& root);
std::optional<System> detect_release_files(const Root& root);
std::optional<System> detect_windows(const Root& root);
std::optional<System> detect_esxi(const Root& root);

}  // namespace hrvm::probe
