#include "probe/drivers/kernel_build.hpp"

#include <utility>

#include <fmt/core.h>

#include "probe/systems/linux_facts.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t largest_list = 1 << 20;

// "CONFIG_X=y" gives "y", "# CONFIG_X is not set" gives "n", nothing said gives "n" as well.
std::string_view setting(std::string_view config, std::string_view option) {
  const std::string wanted = fmt::format("\n{}=", option);
  const auto at = config.find(wanted);
  return at == std::string_view::npos ? "n" : config.substr(at + wanted.size(), 1);
}

}  // namespace

KernelBuild::KernelBuild(fs::FileSystem* root, fs::FileSystem* boot, const std::string& version)
    : root_(root), modules_((root ? modules_folder(*root) : "/lib/modules") + "/" + version) {
  if (root_ != nullptr && !version.empty())
    builtin_ = fs::try_read(*root_, modules_ + "/modules.builtin", largest_list);
  const std::pair<fs::FileSystem*, std::string> configs[] = {{root, "/boot/config-" + version},
                                                             {boot, "/config-" + version},
                                                             {boot, "/boot/config-" + version},
                                                             {root, modules_ + "/config"}};
  for (const auto& [files, path] : configs) {
    if (files == nullptr || version.empty() || config_) continue;
    config_ = fs::try_read(*files, path, largest_list);
    config_path_ = path;
  }
  if (config_ && config_->find("\nCONFIG_") == std::string::npos) config_.reset();
}

void KernelBuild::add_modules_builtin(std::string text) {
  if (!builtin_) builtin_ = std::move(text);
}

bool KernelBuild::has_modules() const { return root_ != nullptr && fs::exists(*root_, modules_ + "/kernel/drivers"); }

bool KernelBuild::has_module(const Driver& driver) const {
  for (const char* packed : {"", ".xz", ".zst", ".gz"})
    if (fs::exists(*root_, fmt::format("{}/kernel/drivers/{}.ko{}", modules_, driver.path, packed))) return true;
  return false;
}

BuiltAs KernelBuild::how(const Driver& driver) const {
  if (builtin_ && builtin_->find(fmt::format("/{}.ko\n", driver.path)) != std::string::npos) return BuiltAs::builtin;
  if (config_) {
    const auto value = setting(*config_, driver.option);
    return value == "y" ? BuiltAs::builtin : value == "m" ? BuiltAs::module : BuiltAs::absent;
  }
  // Where no modules lie they may be in the initramfs alone.
  if (!has_modules()) return builtin_ ? BuiltAs::module : BuiltAs::unknown;
  return has_module(driver) ? BuiltAs::module : BuiltAs::absent;
}

std::string KernelBuild::source(const Driver& driver) const {
  const bool listed = builtin_ && builtin_->find(fmt::format("/{}.ko\n", driver.path)) != std::string::npos;
  return config_ && !listed ? config_path_ : "modules.builtin";
}

}  // namespace hrvm::probe
