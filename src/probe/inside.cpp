#include "inside.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "efi_loaders.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/fs/file_system.hpp"
#include "hrvm/probe/detector.hpp"
#include "roles.hpp"
#include "systems/linux_facts.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;

bool holds_a_boot_folder(fs::FileSystem& files) {
  constexpr std::string_view folders[] = {"grub", "grub2", "loader", "extlinux"};
  return std::ranges::any_of(files.list("/"), [&](const fs::Entry& entry) {
    return entry.name.starts_with("vmlinuz-") ||
           (entry.kind == fs::FileKind::directory && std::ranges::find(folders, entry.name) != std::end(folders));
  });
}

std::optional<System> detect_system(fs::FileSystem& files, const std::string& root) {
  for (const Detector& detector : detectors()) {
    auto system = detector.detect(files);
    if (!system) continue;
    system->root = root;
    system->needs_recovery = files.needs_recovery();
    return system;
  }
  return std::nullopt;
}

class Looking {
 public:
  Looking(const std::string& name, std::vector<base::Finding>& findings) : findings_(findings) { inside_.name = name; }

  Inside run(block::BlockDevice& device, bool is_esp) && {
    try {
      inside_.signature = read_signature(device);
      if (inside_.signature) look_at_files(device, is_esp);
    } catch (const base::Error& error) {
      const bool medium = error.kind() == base::ErrorKind::io;
      add(medium ? "unreadable" : "filesystem-damaged", Severity::error,
          fmt::format("what lies in it cannot be read: {}", error.message()),
          medium ? "the disk may be dying: copy it (ddrescue) before anything else" : "");
    }
    return std::move(inside_);
  }

 private:
  void add(std::string id, Severity severity, std::string message, std::string remedy = {}) {
    findings_.push_back({std::move(id), severity, inside_.name, std::move(message), std::move(remedy)});
  }

  void look_at_files(block::BlockDevice& device, bool is_esp) {
    const std::string& type = inside_.signature->type;
    const auto files = fs::open_file_system(type, device);
    if (!files) return tell_closed();
    if (is_esp) return look_for_loaders(*files);
    inside_.system = detect_system(*files, inside_.name);
    inside_.is_boot = !inside_.system && holds_a_boot_folder(*files);
    if (inside_.is_boot) inside_.boot_kernels = kernels_in(*files, "/");
    if (files->needs_recovery())
      add("filesystem-unclean", Severity::note,
          fmt::format(
              "its {} was not unmounted cleanly, or is mounted now; a machine replays the journal in its own layer",
              type));
  }

  void look_for_loaders(fs::FileSystem& files) {
    inside_.loaders = find_efi_loaders(files, 0);
    if (inside_.loaders.empty())
      add("esp-without-loader", Severity::note, "the EFI system partition holds no boot loader for 64-bit x86");
  }

  void tell_closed() {
    const Signature& signature = *inside_.signature;
    const Container* container = find_container(signature.type);
    if (is_opened(signature.type) || (container == nullptr && signature.usage != "filesystem")) return;
    const std::string name = container ? std::string(container->name) : signature.type;
    add("cannot-look-inside", Severity::note,
        fmt::format("{}: looking inside is not possible yet, so a system in it is not named", name));
  }

  // Containers whose volumes are looked into, each for itself.
  static bool is_opened(std::string_view type) { return type == "LVM2_member"; }

  std::vector<base::Finding>& findings_;
  Inside inside_;
};

}  // namespace

Inside look_into(const std::string& name, block::BlockDevice& device, bool is_esp,
                 std::vector<base::Finding>& findings) {
  return Looking(name, findings).run(device, is_esp);
}

}  // namespace hrvm::probe
