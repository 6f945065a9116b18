// What the registry of a Windows root holds: which Windows it is, its name, and what it can start from.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/fs/file_system.hpp"
#include "hrvm/probe/survey.hpp"
#include "probe/registry/hive.hpp"

namespace hrvm::probe {

struct WindowsRelease {
  std::string product;  // "Windows 11 Pro"
  std::string update;   // "23H2", "1809", "Service Pack 1"; empty where there is none
  std::string version;  // "10.0.22631.3007"
  std::string build;    // "22631.3007"

  std::string pretty() const;  // "Windows 11 Pro 23H2 (build 22631.3007)"
};

// nullopt when the hive is not that of an installed Windows.
std::optional<WindowsRelease> read_windows_release(Hive& software);

// The set of services and settings with which the next start will run: "ControlSet001". nullopt where there is none.
std::optional<std::string> current_control_set(Hive& system);

std::optional<std::string> windows_hostname(Hive& system, const std::string& control_set);
bool uses_fast_startup(Hive& system, const std::string& control_set);

// For each bus whether its driver is there and is started before the root is mounted.
std::vector<DriverEvidence> windows_drivers(Hive& system, const std::string& control_set, fs::FileSystem& root);
// For each network card that a machine can have whether its driver is there, up to one that surely is. What Windows
// brings itself becomes a service only with the first card: `version` ("10.0.22631.3007") says that.
std::vector<NicEvidence> windows_nics(Hive& system, const std::string& control_set, fs::FileSystem& root,
                                      std::string_view version);

}  // namespace hrvm::probe
