#include "probe/folder_modules.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <set>

#include "hrvm/base/error.hpp"
#include "probe/drivers/initramfs_policy.hpp"
#include "probe/initramfs/initramfs.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;

constexpr std::size_t largest_index = 16 << 20;
constexpr std::uint64_t most_unpacked = 256 << 20;  // a few seconds, however it is packed

bool names_module(const std::string& index, std::string_view module) {
  return index.find(fmt::format("/{}.ko", module)) != index.npos;
}

// Those of the two that the kernel has as modules, so that an initramfs is to bring them.
struct Kernel {
  std::set<std::string> modules;
  bool has_virtiofs = false;

  Kernel(fs::FileSystem& root, const std::string& folder) {
    const auto builtin = fs::try_read(root, folder + "/modules.builtin", largest_index).value_or("");
    const auto dependencies = fs::try_read(root, folder + "/modules.dep", largest_index).value_or("");
    for (const char* module : {"virtiofs", "virtio_pci"})
      if (!names_module(builtin, module) && names_module(dependencies, module)) modules.insert(module);
    has_virtiofs = modules.contains("virtiofs") || names_module(builtin, "virtiofs");
  }
};

// nullopt where it cannot be read to the end.
std::optional<bool> holds(fs::FileSystem& root, const std::string& initramfs,
                          const std::set<std::string>& modules) try {
  const auto read = read_initramfs(root, initramfs, modules, most_unpacked);
  if (read.modules == modules) return true;
  return read.incomplete.empty() ? std::optional(false) : std::nullopt;
} catch (const base::Error&) {
  return std::nullopt;
}

// Nothing is said where nothing says how it was made.
bool is_made_without(fs::FileSystem& root) try {
  const auto policy = read_initramfs_policy(root);
  const bool is_known = policy.scope != InitramfsScope::unknown || !policy.modules.empty();
  return is_known && !policy.modules.contains("virtiofs");
} catch (const base::Error&) {
  return false;
}

}  // namespace

void add_root_modules(fs::FileSystem& root, const std::string& path, const FolderKernel& kernel, bool quick,
                      std::vector<base::Finding>& findings) {
  const std::string folder = "/lib/modules/" + kernel.version;
  if (kernel.version.empty() || !fs::exists(root, folder)) return;
  const Kernel built(root, folder);
  const auto add = [&](const char* id, Severity severity, const std::string& message, std::string remedy) {
    findings.push_back({id, severity, path, message, std::move(remedy)});
  };
  if (!built.has_virtiofs)
    return add("folder-no-virtiofs", Severity::error,
               fmt::format("its kernel {} has no virtiofs, by which a guest has a folder as its root", kernel.version),
               "install a kernel of the distribution's that has it");
  if (built.modules.empty()) return;
  if (kernel.initramfs.empty())
    return add("folder-no-initramfs", Severity::error,
               fmt::format("its kernel {} has virtiofs as a module, and no initramfs to load it", kernel.version),
               "that is for its owner to mend: by having one made in it");
  const auto held = quick ? std::nullopt : holds(root, kernel.initramfs, built.modules);
  if (held ? !*held : is_made_without(root))
    add("folder-initramfs", Severity::note,
        fmt::format("its initramfs is {} virtiofs, so hrvm hands the modules to each boot",
                    held ? "without" : "made without"),
        "");
}

}  // namespace hrvm::probe
