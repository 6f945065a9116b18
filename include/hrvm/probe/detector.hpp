// Detectors: which operating system has its root here. One file each under src/probe/systems; the table is in order,
// and the first that knows its system wins (Proxmox VE before Debian, whose os-release it carries).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/fs/file_system.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::probe {

// A tree of files that may be a system's root, and where to say what is odd about it.
struct Root {
  fs::FileSystem& files;
  std::string name;  // "p3", "pve/root", "p3:@rootfs": the subject of findings
  std::vector<base::Finding>& findings;
};

struct Detector {
  std::string_view name;
  // The system, without `root`; nullopt when it is another, or none. Never throws for damaged files.
  std::optional<System> (*detect)(const Root& root);
};

std::span<const Detector> detectors();

}  // namespace hrvm::probe
