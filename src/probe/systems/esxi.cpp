// VMware ESXi: its boot banks are FATs with a boot.cfg that names its modules. The bank that was never started is none.
#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "probe/systems/systems.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t largest_config = 256 << 10;
constexpr std::string_view never_started = "3";

std::string value_of(std::string_view text, std::string_view key) {
  for (std::string_view line : base::lines(text))
    if (line.starts_with(key) && line.substr(key.size()).starts_with("="))
      return std::string(base::trim(line.substr(key.size() + 1)));
  return {};
}

}  // namespace

std::optional<System> detect_esxi(const Root& root) {
  const auto text = fs::try_read(root.files, "/boot.cfg", largest_config);
  if (!text) return std::nullopt;
  const auto title = value_of(*text, "title");
  if (title.find("ESXi") == std::string::npos || title.find("nstaller") != std::string::npos) return std::nullopt;
  if (value_of(*text, "kernel").empty() || value_of(*text, "bootstate") == never_started) return std::nullopt;
  System system;
  system.id = "esxi";
  system.name = "VMware ESXi";
  const auto build = value_of(*text, "build");
  system.version = base::printable(build.substr(0, build.find('-')));
  system.pretty = system.version.empty() ? system.name : fmt::format("{} {}", system.name, system.version);
  return system;
}

}  // namespace hrvm::probe
