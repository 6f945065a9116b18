#include "probe/boot/kernel_files.hpp"

#include <cctype>
#include <optional>
#include <string_view>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "probe/boot/boot_entry.hpp"
#include "probe/systems/linux_facts.hpp"

namespace hrvm::probe {
namespace {

std::vector<std::string> module_folders(fs::FileSystem& root) {
  std::vector<std::string> names;
  const auto path = fs::resolve(root, modules_folder(root));
  const auto info = path ? root.info(*path) : std::nullopt;
  if (!info || info->kind != fs::FileKind::directory) return names;
  for (const fs::Entry& entry : root.list(*path))
    if (entry.kind == fs::FileKind::directory && names.size() < 64) names.push_back(entry.name);
  return names;
}

// "lts" of "/boot/vmlinuz-lts".
std::string flavour_of(std::string_view kernel) {
  const auto name = kernel.substr(kernel.rfind('/') + 1);
  const auto dash = name.find('-');
  return dash == std::string_view::npos ? std::string() : std::string(name.substr(dash + 1));
}

std::string version_by_modules(fs::FileSystem& root, std::string_view kernel) {
  const auto folders = module_folders(root);
  const std::string flavour = flavour_of(kernel);
  for (const std::string& folder : folders) {
    const auto base = fs::try_read(root, modules_folder(root) + "/" + folder + "/pkgbase", 256);
    if (base && base::trim(*base) == flavour) return folder;
  }
  for (const std::string& folder : folders)
    if (!flavour.empty() && folder.ends_with("-" + flavour)) return folder;
  return folders.size() == 1 ? folders.front() : std::string();
}

// "6.1.0" of "/initramfs-6.1.0.img" and "/initrd.img-6.1.0".
std::string version_of_initramfs(std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(".img")) name.remove_suffix(4);
  for (std::string_view prefix : {"initrd.img-", "initramfs-", "initrd-"})
    if (name.starts_with(prefix) && name.size() > prefix.size() &&
        std::isdigit(static_cast<unsigned char>(name[prefix.size()])))
      return std::string(name.substr(prefix.size()));
  return {};
}

}  // namespace

std::string find_kernel_version(fs::FileSystem* root, fs::FileSystem& boot, const std::string& kernel,
                                const std::vector<std::string>& initramfs) {
  if (auto version = kernel_version(kernel); !version.empty()) return version;
  if (auto version = kernel_version(fs::resolve(boot, kernel).value_or("")); !version.empty()) return version;
  for (const std::string& path : initramfs)
    if (auto version = version_of_initramfs(path); !version.empty()) return version;
  return root ? version_by_modules(*root, kernel) : std::string();
}

std::string find_initramfs(fs::FileSystem& boot, const std::string& folder, const std::string& version) {
  for (const std::string& name : {"initrd.img-" + version, "initramfs-" + version + ".img", "initrd-" + version})
    if (fs::exists(boot, folder + "/" + name)) return folder + "/" + name;
  return {};
}

}  // namespace hrvm::probe
