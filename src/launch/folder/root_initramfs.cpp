#include "hrvm/launch/root_initramfs.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::launch {

namespace {

constexpr std::string_view wanted_modules[] = {"virtiofs", "virtio_pci"};
constexpr std::string_view indexes[] = {"modules.dep",        "modules.dep.bin",     "modules.alias",
                                        "modules.alias.bin",  "modules.symbols.bin", "modules.builtin",
                                        "modules.builtin.bin"};
constexpr std::size_t largest_file = 16 * base::MiB, most_modules = 64;
constexpr unsigned folder_mode = 040755, file_mode = 0100644;

// "virtiofs" of "kernel/fs/fuse/virtiofs.ko.xz".
bool is_module(std::string_view path, std::string_view name) {
  const auto file = path.substr(path.rfind('/') + 1);
  return file.starts_with(name) && file.substr(name.size()).starts_with(".ko");
}

// A line of modules.dep: the module, and all that is loaded before it.
void add_line(std::string_view line, const std::string& folder, std::vector<std::string>& files) {
  for (std::string_view path : base::split(line, ' ')) {
    if (path.ends_with(':')) path.remove_suffix(1);
    if (!path.empty() && files.size() < most_modules) files.push_back(folder + "/" + std::string(path));
  }
}

std::string padding(std::size_t size) { return std::string((4 - size % 4) % 4, '\0'); }

class Archive {
 public:
  void add(const std::string& name, unsigned mode, const std::string& content) {
    bytes_ += fmt::format("070701{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}{:08X}",
                          ++entries_, mode, 0, 0, 1, 0, content.size(), 0, 0, 0, 0, name.size() + 1, 0);
    bytes_ += name + '\0';
    bytes_ += padding(bytes_.size());
    bytes_ += content;
    bytes_ += padding(bytes_.size());
  }
  std::string take() {
    add("TRAILER!!!", 0, "");
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
  unsigned entries_ = 0;
};

// Their own where an initramfs has /lib as a link is /usr/lib: a folder in its place would hide all that is there.
void add_folders(Archive& archive, std::string_view file, std::set<std::string>& done) {
  for (auto slash = file.find('/'); slash != file.npos; slash = file.find('/', slash + 1))
    if (done.insert(std::string(file.substr(0, slash))).second)
      archive.add(std::string(file.substr(0, slash)), folder_mode, "");
}

}  // namespace

std::vector<std::string> root_modules(fs::FileSystem& root, const std::string& kernel_version) {
  const auto folder = fs::resolve(root, "/lib/modules/" + kernel_version);
  const auto dependencies = folder ? fs::try_read(root, *folder + "/modules.dep", largest_file) : std::nullopt;
  if (kernel_version.empty() || !dependencies) return {};
  std::vector<std::string> files;
  for (const auto line : base::lines(*dependencies)) {
    const auto path = line.substr(0, line.find(':'));
    if (std::ranges::any_of(wanted_modules, [&](std::string_view name) { return is_module(path, name); }))
      add_line(line, *folder, files);
  }
  if (files.empty()) return {};
  for (const auto index : indexes) files.push_back(fmt::format("{}/{}", *folder, index));
  return files;
}

std::string cpio_archive(fs::FileSystem& root, const std::vector<std::string>& files) {
  Archive archive;
  std::set<std::string> done;
  for (const auto& path : files) {
    const auto content = fs::try_read(root, path, largest_file);
    const auto name = path.substr(1);
    if (!content || !done.insert(name).second) continue;
    add_folders(archive, name, done);
    archive.add(name, file_mode, *content);
  }
  return archive.take();
}

}  // namespace hrvm::launch
