#include "probe/efi_loaders.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "hrvm/base/endian.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "probe/boot/pe_format.hpp"

namespace hrvm::probe {
namespace {

// In the order of the firmware's boot entries: a shim stands before the GRUB that it starts. loader.efi
// is FreeBSD's.
constexpr std::string_view loader_names[] = {
    "bootx64.efi", "shimx64.efi", "grubx64.efi", "systemd-bootx64.efi", "bootmgfw.efi", "refind_x64.efi", "loader.efi",
};
constexpr std::string_view removable_path = "/efi/boot/bootx64.efi";
constexpr unsigned deepest = 3;         // /EFI/Microsoft/Boot
constexpr unsigned most_folders = 256;  // of a hostile disk

bool is_x86_64_pe(fs::FileSystem& files, const std::string& path) {
  const std::string start = files.read(path, 0, 64);
  if (start.size() < 64 || !start.starts_with(dos_magic)) return false;
  const auto header = base::load<base::le32>(std::as_bytes(std::span(start)), pe_place);
  const std::string pe = files.read(path, header, 6);
  return pe.size() == 6 && pe.starts_with(pe_magic) &&
         base::load<base::le16>(std::as_bytes(std::span(pe)), 4) == pe_machine_x86_64;
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
      else if ((is_loader(entry.name) || is_unified_image(child)) && is_x86_64_pe(esp_, child))
        loaders_.push_back({partition_, child, base::lower(child) == removable_path});
    }
  }

  std::vector<EfiLoader> loaders() && {
    std::ranges::sort(loaders_, {}, [](const EfiLoader& loader) {
      const std::string name = base::lower(loader.path.substr(loader.path.rfind('/') + 1));
      return std::tuple(!loader.removable, std::ranges::find(loader_names, name) - loader_names, loader.path);
    });
    return std::move(loaders_);
  }

 private:
  static bool is_loader(const std::string& name) {
    return std::ranges::find(loader_names, base::lower(name)) != std::end(loader_names);
  }

  // Where all kernels lie that are loaders themselves.
  static bool is_unified_image(const std::string& path) {
    const std::string lower = base::lower(path);
    return lower.starts_with("/efi/linux/") && lower.ends_with(".efi");
  }

  fs::FileSystem& esp_;
  unsigned partition_, folders_ = 0;
  std::vector<EfiLoader> loaders_;
};

// As spelled on disk: EFI, efi.
std::optional<std::string> efi_folder(fs::FileSystem& esp) {
  for (const fs::Entry& entry : esp.list("/"))
    if (entry.kind == fs::FileKind::directory && base::lower(entry.name) == "efi") return "/" + entry.name;
  return std::nullopt;
}

}  // namespace

std::vector<EfiLoader> find_efi_loaders(fs::FileSystem& esp, unsigned partition) {
  Walk walk(esp, partition);
  if (const auto folder = efi_folder(esp)) walk.folder(*folder, 1);
  return std::move(walk).loaders();
}

}  // namespace hrvm::probe
