// NixOS: before it has been started there is no os-release in the usual place, and afterwards a link into the store.
// What its profile names is the system that boots.
#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "probe/systems/linux_facts.hpp"
#include "probe/systems/systems.hpp"

namespace hrvm::probe {
namespace {

const std::string profile = "/nix/var/nix/profiles/system";

std::vector<std::string> kernels(fs::FileSystem& files) {
  std::vector<std::string> versions;
  const auto folder = fs::resolve(files, profile + "/kernel-modules/lib/modules");
  if (!folder) return versions;
  for (const fs::Entry& entry : files.list(*folder))
    if (entry.kind == fs::FileKind::directory) versions.push_back(entry.name);
  return versions;
}

}  // namespace

std::optional<System> detect_nixos(const Root& root) {
  const auto version = fs::try_read(root.files, profile + "/nixos-version", 4096);
  if (!version) return std::nullopt;
  System system;
  system.id = "nixos";
  system.name = "NixOS";
  system.version = base::printable(base::trim(*version));
  system.pretty = "NixOS " + system.version;
  if (const auto text = fs::try_read(root.files, profile + "/etc/os-release", 64 << 10))
    if (const OsRelease release = parse_os_release(*text); release.contains("PRETTY_NAME"))
      system.pretty = release.at("PRETTY_NAME");
  add_linux_facts(root.files, system);
  if (const auto name = fs::try_read(root.files, profile + "/etc/hostname", 4096); name && !system.hostname)
    system.hostname = base::printable(base::trim(*name));
  if (system.kernels.empty()) system.kernels = kernels(root.files);
  return system;
}

}  // namespace hrvm::probe
