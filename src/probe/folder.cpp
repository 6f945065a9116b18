#include "hrvm/probe/folder.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "probe/boot/bls.hpp"
#include "probe/boot/kernel_files.hpp"
#include "probe/folder_modules.hpp"
#include "probe/roots/find_systems.hpp"
#include "probe/start_findings.hpp"
#include "probe/systems/linux_facts.hpp"

namespace hrvm::probe {
namespace {

using base::Error, base::ErrorKind;

constexpr std::string_view entries_folder = "/boot/loader/entries";
constexpr std::size_t most_told = 8;
constexpr const char* inits[] = {"/sbin/init",           "/usr/sbin/init", "/usr/lib/systemd/systemd",
                                 "/lib/systemd/systemd", "/etc/init",      "/bin/init"};

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

  // Where new packages of Debian's and Fedora's keep it: /boot may have links there, or nothing.
  void add_module_folders() {
    const auto folder = fs::resolve(root, modules_folder(root));
    const auto info = folder ? root.info(*folder) : std::nullopt;
    if (!info || info->kind != fs::FileKind::directory) return;
    for (const fs::Entry& entry : root.list(*folder)) {
      if (entry.kind != fs::FileKind::directory || has(entry.name)) continue;
      const std::string of = *folder + "/" + entry.name;
      const std::string beside = find_initramfs(root, "/boot", entry.name);
      add(entry.name, of + "/vmlinuz", beside.empty() ? of + "/initramfs.img" : beside);
    }
  }
  bool has(const std::string& version) const {
    return std::ranges::find(found, version, &FolderKernel::version) != found.end();
  }

  // Paths are those of a boot partition, or of the root where /boot is none of its own.
  void add_entries() {
    const auto folder = fs::resolve(root, entries_folder);
    const auto info = folder ? root.info(*folder) : std::nullopt;
    if (!info || info->kind != fs::FileKind::directory) return;
    for (const fs::Entry& file : root.list(*folder)) {
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

// Lines of a file that are neither empty nor comments; they point into the text.
std::vector<std::string_view> lines_of(const std::string& text) {
  std::vector<std::string_view> kept;
  for (std::string_view line : base::lines(text))
    if (line = base::trim(line); !line.empty() && !line.starts_with('#')) kept.push_back(line);
  return kept;
}

// fstab(5): what it is, where it is mounted, its type, its options.
std::vector<std::string> fields_of(std::string_view line) {
  std::string text(line);
  std::ranges::replace(text, '\t', ' ');
  std::vector<std::string> fields;
  for (std::string_view field : base::split(text, ' '))
    if (!field.empty()) fields.emplace_back(field);
  fields.resize(std::max<std::size_t>(fields.size(), 4));
  return fields;
}

bool is_waited_for(const std::vector<std::string>& fields) {
  const bool is_device = fields[0].starts_with("/dev/") || fields[0].find('=') != std::string::npos;
  return is_device && fields[3].find("noauto") == std::string::npos && fields[3].find("nofail") == std::string::npos;
}

struct Findings {
  fs::FileSystem& root;
  const std::string& path;
  std::vector<base::Finding>& findings;

  void add(const char* id, base::Severity severity, std::string message, std::string remedy) {
    findings.push_back({id, severity, path, std::move(message), std::move(remedy)});
  }

  void add_no_kernel() {
    add("folder-no-kernel", base::Severity::error, "there is no kernel in it",
        "that is for its owner to mend: by installing one in it, on Debian linux-image-amd64");
  }

  // systemd waits for each of these, and starts no further without it.
  void add_mounts() {
    std::vector<std::string> missing;
    const auto text = fs::try_read(root, "/etc/fstab").value_or("");
    for (const auto line : lines_of(text))
      if (const auto fields = fields_of(line); is_waited_for(fields) && missing.size() < most_told)
        missing.push_back(base::printable(fields[0] + " on " + fields[1]));
    if (missing.empty()) return;
    add("folder-fstab", base::Severity::warning,
        "its /etc/fstab waits for disks that the machine does not have: " + base::join(missing, ", "),
        "take these lines out in the guest's own layer, or give them the option nofail; for / write: hrvm / virtiofs "
        "defaults 0 0");
  }
};

BootConfiguration start_of(const FolderKernel& kernel) {
  BootConfiguration start;
  start.loader = "QEMU";
  start.source = "folder:/boot";
  start.entry = kernel.version.empty() ? kernel.kernel : "Linux " + kernel.version;
  start.kernel = "folder:" + kernel.kernel;
  if (!kernel.initramfs.empty()) start.initramfs = "folder:" + kernel.initramfs;
  start.root = "folder";
  return start;
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
  search.add_module_folders();
  search.add_links();
  if (search.found.empty()) return std::nullopt;
  return *std::ranges::min_element(search.found, is_newer);
}

Contents read_folder(fs::FileSystem& root, const std::string& path, Thoroughness thoroughness) {
  Contents contents;
  contents.systems = find_systems("folder", root, contents.findings);
  if (contents.systems.empty()) throw no_root(path, "/etc/os-release");
  const auto has_init = [&](const char* init) { return fs::exists(root, init); };
  if (std::ranges::none_of(inits, has_init)) throw no_root(path, "/sbin/init");
  if (contents.systems.front().family != SystemFamily::linux) throw no_root(path, "Linux");
  Findings findings{root, path, contents.findings};
  const auto kernel = find_folder_kernel(root);
  if (kernel) contents.systems.front().boot = start_of(*kernel);
  if (kernel)
    add_root_modules(root, path, *kernel, thoroughness == Thoroughness::quick, contents.findings);
  else
    findings.add_no_kernel();
  findings.add_mounts();
  add_other_architecture(contents, {path, {}, {}});
  return contents;
}

}  // namespace hrvm::probe
