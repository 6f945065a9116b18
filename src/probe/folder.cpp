#include "hrvm/probe/folder.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "boot/bls.hpp"
#include "boot/kernel_files.hpp"
#include "find_systems.hpp"
#include "hrvm/base/error.hpp"
#include "systems/linux_facts.hpp"

namespace hrvm::probe {
namespace {

using base::Error, base::ErrorKind;

constexpr std::string_view entries_folder = "/boot/loader/entries";
constexpr const char* inits[] = {"/sbin/init", "/usr/sbin/init", "/usr/lib/systemd/systemd", "/lib/systemd/systemd",
                                 "/etc/init", "/bin/init"};

struct Search {
  fs::FileSystem& root;
  std::vector<FolderKernel> found;

  void add(const std::string& version, const std::string& kernel, const std::string& initramfs) {
    if (!fs::exists(root, kernel)) return;
    found.push_back({version, kernel, fs::exists(root, initramfs) ? initramfs : std::string()});
  }

  void add_boot_folder() {
    for (const std::string& version : kernels_in(root, "/boot"))
      add(version, "/boot/vmlinuz-" + version, find_initramfs(root, "/boot", version));
  }

  // Paths are those of a boot partition, or of the root where /boot is none of its own.
  void add_entries() {
    if (!fs::exists(root, entries_folder)) return;
    for (const fs::Entry& file : root.list(fs::resolve(root, entries_folder).value())) {
      const auto text = fs::try_read(root, fmt::format("{}/{}", entries_folder, file.name), longest_text);
      if (!text || !file.name.ends_with(".conf")) continue;
      const auto entry = parse_bls(*text, file.name).entry;
      const std::string before = fs::exists(root, entry.kernel) ? "" : "/boot";
      if (!entry.kernel.empty())
        add(entry.version, before + entry.kernel, entry.initramfs.empty() ? "" : before + entry.initramfs.back());
    }
  }

  void add_links() {
    if (!found.empty()) return;
    add("", "/vmlinuz", "/initrd.img");
    add("", "/boot/vmlinuz", fs::exists(root, "/boot/initrd.img") ? "/boot/initrd.img" : "/boot/initrd");
  }
};

bool is_newer(const FolderKernel& a, const FolderKernel& b) {
  if (a.initramfs.empty() != b.initramfs.empty()) return b.initramfs.empty();
  return ::strverscmp(a.version.c_str(), b.version.c_str()) > 0;
}

Error no_root(const std::string& path, std::string_view missing) {
  return Error(ErrorKind::unsupported, fmt::format("{} holds no root filesystem: there is no {} in it", path, missing))
      .on(path)
      .hint("name the folder in which a system's /etc, /usr and /boot lie, or a disk");
}

}  // namespace

std::optional<FolderKernel> find_folder_kernel(fs::FileSystem& root) {
  Search search{root, {}};
  search.add_boot_folder();
  search.add_entries();
  search.add_links();
  if (search.found.empty()) return std::nullopt;
  return *std::ranges::min_element(search.found, is_newer);
}

System read_folder_system(fs::FileSystem& root, const std::string& path) {
  std::vector<base::Finding> findings;
  const auto systems = find_systems("folder", root, findings);
  if (systems.empty()) throw no_root(path, "/etc/os-release");
  const auto has_init = [&](const char* init) { return fs::exists(root, init); };
  if (std::ranges::none_of(inits, has_init)) throw no_root(path, "/sbin/init");
  if (systems.front().family != "linux") throw no_root(path, "Linux");
  return systems.front();
}

}  // namespace hrvm::probe
