// Proxmox VE: a Debian by its os-release, told by the package that is the product.
#include <fmt/core.h>

#include "linux_facts.hpp"
#include "systems.hpp"

namespace hrvm::probe {

std::optional<System> detect_proxmox(fs::FileSystem& root) {
  auto version = dpkg_version(root, "pve-manager");
  if (!version) return std::nullopt;
  System system;
  system.id = "proxmox";
  system.name = "Proxmox VE";
  system.version = *version;
  system.pretty = "Proxmox VE " + *version;
  if (const auto release = read_os_release(root); release && release->contains("VERSION_ID"))
    system.pretty += fmt::format(" (Debian {})", release->at("VERSION_ID"));
  add_linux_facts(root, system);
  return system;
}

}  // namespace hrvm::probe
