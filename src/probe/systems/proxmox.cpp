// Proxmox's products: a Debian by its os-release, known by the package that is the product.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "probe/systems/linux_facts.hpp"
#include "probe/systems/systems.hpp"

namespace hrvm::probe {
namespace {

struct Product {
  const char *id, *name;
};
// The first that is installed names the system: a backup server may live beside a node.
constexpr std::array<std::string_view, 3> packages = {"pve-manager", "proxmox-backup-server", "proxmox-mailgateway"};
constexpr std::array<Product, packages.size()> products = {{
    {"proxmox", "Proxmox VE"},
    {"proxmox-backup", "Proxmox Backup Server"},
    {"proxmox-mailgateway", "Proxmox Mail Gateway"},
}};

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
  const auto found = first_installed(root.files, packages);
  if (!found) return std::nullopt;
  const auto place = std::ranges::find(packages, found->name) - packages.begin();
  return describe(root.files, products[std::size_t(place)], found->version);
}

}  // namespace hrvm::probe
