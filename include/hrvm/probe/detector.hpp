// Detectors: which operating system has its root here. One file each under src/probe/systems; the table is in order, and
// the first that knows its system wins (Proxmox VE before Debian, whose os-release it carries).
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "hrvm/fs/file_system.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::probe {

struct Detector {
  std::string_view name;
  // The system, without `root`; nullopt when it is another, or none. Never throws for damaged files.
  std::optional<System> (*detect)(fs::FileSystem& root);
};

std::span<const Detector> detectors();

}  // namespace hrvm::probe
