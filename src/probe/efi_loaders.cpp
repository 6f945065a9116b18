#include "probe/efi_loaders.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "hrvm/base/text.hpp"
#include "probe/boot/pe_format.hpp"
#include "probe/boot/unified_image.hpp"
#include "probe/roots/architecture.hpp"

namespace hrvm::probe {
namespace {

// In the order of the firmware's boot entries: a shim stands before the GRUB that it starts. loader.efi
// is FreeBSD's.
constexpr std::string_view loader_names[] = {
    "bootx64.efi", "shimx64.efi", "grubx64.efi", "systemd-bootx64.efi", "bootmgfw.efi", "refind_x64.efi", "loader.efi",
};
constexpr std::string_view removable_path = "/efi/boot/bootx64.efi";
constexpr unsigned deepest = 3;                                 // /EFI/Microsoft/Boot
constexpr unsigned most_folders = 256, most_looked_into = 256;  // of a hostile disk

// The same for other processors, and for firmware of 32 bits: BOOTAA64.EFI, grubia32.efi.
constexpr std::string_view stems[] = {"boot", "shim", "grub", "systemd-boot", "refind_"};
constexpr std::string_view suffixes[] = {"ia32", "aa64", "arm", "riscv64", "riscv32", "loongarch64", "ia64"};

bool names_other_processor(std::string_view name) {
  constexpr std::string_view extension = ".efi";
  if (!name.ends_with(extension)) return false;
  name.remove_suffix(extension.size());
  return std::ranges::any_of(suffixes, [&](std::string_view suffix) {
    return name.ends_with(suffix) &&
           std::ranges::find(stems, name.substr(0, name.size() - suffix.size())) != std::end(stems);
  });
}

class Walk {
 public:
  Walk(fs::FileSystem& esp, unsigned partition) : esp_(esp), partition_(partition) {}

  void folder(const std::string& path, unsigned depth) {
    if (depth > deepest || ++folders_ > most_folders) return;
    for (const fs::Entry& entry : esp_.list(path)) {
      const std::string child = path + "/" + entry.name;
      if (entry.kind == fs::FileKind::directory)
        folder(child, depth + 1);
      else if (const std::string name = base::lower(entry.name);
               is_loader(name) || is_unified_image(child) || names_other_processor(name))
        take(child, names_other_processor(name));
    }
  }

  EfiLoaders found() && {
    std::ranges::sort(found_.loaders, {}, [](const EfiLoader& loader) {
      const std::string name = base::lower(loader.path.substr(loader.path.rfind('/') + 1));
      return std::tuple(!loader.removable, std::ranges::find(loader_names, name) - loader_names, loader.path);
    });
    return std::move(found_);
  }

 private:
  void take(const std::string& path, bool is_named_for_another) {
    const auto architecture = architecture_of_efi(esp_, path);
    if (architecture == "x86-64" && is_named_for_another) return;
    if (architecture == "x86-64")
      found_.loaders.push_back({partition_, path, base::lower(path) == removable_path});
    else if (!architecture.empty())
      found_.others.push_back({partition_, path, std::string(architecture)});
  }

  static bool is_loader(const std::string& name) {
    return std::ranges::find(loader_names, name) != std::end(loader_names);
  }

  // A kernel that is a loader itself: all in EFI/Linux are, and what is one in a vendor's folder.
  bool is_unified_image(const std::string& path) {
    const std::string lower = base::lower(path);
    if (!lower.ends_with(".efi")) return false;
    if (lower.starts_with("/efi/linux/")) return true;
    return ++looked_into_ <= most_looked_into && !read_unified_images(esp_, path).empty();
  }

  fs::FileSystem& esp_;
  unsigned partition_, folders_ = 0, looked_into_ = 0;
  EfiLoaders found_;
};

// As spelled on disk: EFI, efi.
std::optional<std::string> efi_folder(fs::FileSystem& esp) {
  for (const fs::Entry& entry : esp.list("/"))
    if (entry.kind == fs::FileKind::directory && base::lower(entry.name) == "efi") return "/" + entry.name;
  return std::nullopt;
}

}  // namespace

EfiLoaders find_efi_loaders(fs::FileSystem& files, unsigned partition) {
  Walk walk(files, partition);
  if (const auto folder = efi_folder(files)) walk.folder(*folder, 1);
  return std::move(walk).found();
}

}  // namespace hrvm::probe
