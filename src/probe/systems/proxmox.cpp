// Proxmox's products: a Debian by its os-release, known by the package that is the product.
#include <fmt/core.h>

#include "probe/systems/linux_facts.hpp"
#include "probe/systems/systems.hpp"

namespace hrvm::probe {
namespace {

struct Product {
  const char *package, *id, *name;
};
// The first that is installed names the system: a backup server may live beside a node.
constexpr Product products[] = {
    {"pve-manager", "proxmox", "Proxmox VE"},
    {"proxmox-backup-server", "proxmox-backup", "Proxmox Backup Server"},
    {"proxmox-mailgateway", "proxmox-mailgateway", "Proxmox Mail Gateway"},
};

System describe(fs::FileSystem& files, const Product& product, const std::string& version) {
  System system;
  system.id = product.id;
  system.name = product.name;
  system.version = version;
  system.pretty = fmt::format("{} {}", product.name, version);
  if (const auto release = read_os_release(files); release && release->contains("VERSION_ID"))
    system.pretty += fmt::format(" (Debian {})", release->at("VERSION_ID"));
  add_linux_facts(files, system);
  return system;
}

}  // namespace

std::optional<System> detect_proxmox(const Root& root) {
  for (const Product& product : products)
    if (const auto version = dpkg_version(root.files, product.package)) return describe(root.files, product, *version);
  return std::nullopt;
}

}  // namespace hrvm::probe
