#include "probe/systems/linux_facts.hpp"

#include <algorithm>
#include <cstring>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::probe {
namespace {

constexpr std::string_view kernel_prefix = "vmlinuz-";

std::vector<fs::Entry> entries(fs::FileSystem& files, std::string_view folder) {
  const auto path = fs::resolve(files, folder);
  const auto info = path ? files.info(*path) : std::nullopt;
  return info && info->kind == fs::FileKind::directory ? files.list(*path).entries : std::vector<fs::Entry>{};
}

void sort_newest_first(std::vector<std::string>& versions) {
  std::ranges::sort(versions,
                    [](const std::string& a, const std::string& b) { return ::strverscmp(a.c_str(), b.c_str()) > 0; });
}

// Folders of modules stand in for kernels that lie on a boot partition or in an ESP.
std::vector<std::string> module_versions(fs::FileSystem& root) {
  std::vector<std::string> versions;
  for (const fs::Entry& entry : entries(root, modules_folder(root)))
    if (entry.kind == fs::FileKind::directory) versions.push_back(entry.name);
  sort_newest_first(versions);
  return versions;
}

}  // namespace

std::optional<std::string> hostname_of(fs::FileSystem& root) {
  const std::string text = fs::try_read(root, "/etc/hostname", 4096).value_or("");
  for (std::string_view line : base::lines(text)) {
    line = base::trim(line);
    if (!line.empty() && !line.starts_with('#')) return std::string(line);
  }
  return std::nullopt;
}

std::vector<std::string> kernels_in(fs::FileSystem& files, std::string_view folder) {
  std::vector<std::string> versions;
  for (const fs::Entry& entry : entries(files, folder))
    if (entry.name.starts_with(kernel_prefix) && entry.kind != fs::FileKind::directory)
      versions.push_back(entry.name.substr(kernel_prefix.size()));
  sort_newest_first(versions);
  return versions;
}

std::string modules_folder(fs::FileSystem& root) {
  return fs::exists(root, "/lib/modules") ? "/lib/modules" : "/usr/lib/modules";
}

void add_linux_facts(fs::FileSystem& root, System& system) {
  system.family = SystemFamily::linux;
  system.hostname = hostname_of(root);
  system.kernels = kernels_in(root, "/boot");
  if (system.kernels.empty()) system.kernels = module_versions(root);
}

}  // namespace hrvm::probe
