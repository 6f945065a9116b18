#include "probe/boot/boot_menus.hpp"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "probe/boot/bls.hpp"
#include "probe/boot/grub_cfg.hpp"
#include "probe/boot/syslinux.hpp"
#include "probe/boot/unified_image.hpp"
#include "probe/systems/linux_facts.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t largest_file = 1 << 20, largest_entry = 64 << 10, most_files = 256;
constexpr unsigned most_hops = 4;  // from one grub.cfg to the next

// As grub-install, Fedora's packages and proxmox-boot-tool place it, seen from the filesystem's top.
constexpr std::string_view grub_files[] = {"/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", "/grub/grub.cfg",
                                           "/grub2/grub.cfg"};
// As update-extlinux (Alpine), U-Boot's tools, SYSLINUX on FAT and live media place it.
constexpr std::string_view syslinux_files[] = {
    "/boot/extlinux.conf",
    "/extlinux.conf",
    "/boot/extlinux/extlinux.conf",
    "/extlinux/extlinux.conf",
    "/boot/syslinux/syslinux.cfg",
    "/syslinux/syslinux.cfg",
    "/syslinux.cfg",
    "/boot/isolinux/isolinux.cfg",
    "/isolinux/isolinux.cfg",
};

constexpr std::string_view unified_folder = "/EFI/Linux", extension = ".efi";

std::vector<fs::Entry> entries_of(fs::FileSystem& files, std::string_view folder) {
  const auto path = fs::resolve(files, folder);
  const auto info = path ? files.info(*path) : std::nullopt;
  if (!info || info->kind != fs::FileKind::directory) return {};
  auto entries = files.list(*path).entries;
  if (entries.size() > most_files) entries.resize(most_files);
  std::ranges::sort(entries, {}, &fs::Entry::name);
  return entries;
}

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

std::vector<BlsEntry> read_bls(fs::FileSystem& files, const std::string& folder) {
  std::vector<BlsEntry> found;
  for (const fs::Entry& entry : entries_of(files, folder)) {
    if (!entry.name.ends_with(".conf")) continue;
    if (const auto text = fs::try_read(files, folder + "/" + entry.name, largest_entry))
      found.push_back(parse_bls(*text, entry.name));
  }
  return found;
}

std::string value(const OsRelease& release, std::initializer_list<const char*> keys) {
  for (const char* key : keys)
    if (const auto found = release.find(key); found != release.end() && !found->second.empty()) return found->second;
  return {};
}

// Named and ordered as systemd-boot does it: by the os-release in it.
BlsEntry unified_entry(const UnifiedImage& image, const std::string& path, const std::string& file_name) {
  BlsEntry unified = parse_bls("", file_name.substr(0, file_name.size() - extension.size()));
  const OsRelease release = parse_os_release(image.os_release);
  const auto title = value(release, {"PRETTY_NAME", "IMAGE_ID", "NAME", "ID"});
  unified.entry.title = title.empty() ? "unified kernel image " + file_name : title;
  unified.entry.id += extension;
  unified.entry.kernel = path;
  if (image.initramfs) unified.entry.initramfs = {path};
  unified.entry.command_line = image.command_line;
  unified.entry.version = image.version;
  unified.release = value(release, {"IMAGE_VERSION", "VERSION", "VERSION_ID", "BUILD_ID"});
  unified.sort_key = value(release, {"IMAGE_ID", "ID"});
  return unified;
}

std::vector<BlsEntry> read_unified(fs::FileSystem& files) {
  std::vector<BlsEntry> found;
  for (const fs::Entry& file : entries_of(files, unified_folder)) {
    if (!base::lower(file.name).ends_with(extension)) continue;
    const std::string path = std::string(unified_folder) + "/" + file.name;
    if (const auto image = read_unified_image(files, path)) found.push_back(unified_entry(*image, path, file.name));
  }
  return found;
}

std::vector<BlsEntry> read_all(fs::FileSystem& files) {
  auto all = read_bls(files, "/loader/entries");
  std::ranges::move(read_unified(files), std::back_inserter(all));
  return all;
}

bool is_at(const BootPlace& place, std::string_view volume) {
  if (volume.starts_with("place/")) return place.name == volume.substr(6);
  if (volume.starts_with("uuid/")) return base::lower(place.uuid) == base::lower(volume.substr(5));
  return volume.starts_with("label/") && place.label == volume.substr(6);
}

const BootPlace* find_place(std::span<const BootPlace> places, std::string_view volume) {
  const auto found = std::ranges::find_if(places, [&](const BootPlace& place) { return is_at(place, volume); });
  return found == places.end() ? nullptr : &*found;
}

void replace_bls(std::vector<GrubItem>& items, const std::vector<BootEntry>& entries) {
  const auto at = std::ranges::find(items, GrubItem::Kind::bls, &GrubItem::kind);
  if (at == items.end()) return;
  auto next = items.erase(at);
  for (const BootEntry& entry : entries) next = std::next(items.insert(next, {GrubItem::Kind::entry, entry, {}}));
}

class Reading {
 public:
  explicit Reading(std::span<const BootPlace> places) : places_(places) {}

  std::vector<BootMenu> run() && {
    for (const auto read :
         {&Reading::read_systemd_boot, &Reading::read_grub, &Reading::read_syslinux, &Reading::read_firmware})
      for (const BootPlace& place : places_) try {
          (this->*read)(place);
        } catch (const base::Error&) {
          // A damaged filesystem is reported where it was opened, and menus that make no sense are none.
        }
    return std::move(menus_);
  }

 private:
  void add(BootMenu menu) {
    if (!menu.entries.empty()) menus_.push_back(std::move(menu));
  }

  static bool has_systemd_boot(const BootPlace& place) {
    return place.is_esp && (fs::exists(*place.files, "/loader/loader.conf") ||
                            fs::exists(*place.files, "/EFI/systemd/systemd-bootx64.efi"));
  }

  // Its entries lie in the ESP and, since version 242, in a boot partition of the type XBOOTLDR.
  void read_systemd_boot(const BootPlace& place) {
    if (!has_systemd_boot(place)) return;
    auto all = read_all(*place.files);
    const auto extended = std::ranges::find_if(places_, &BootPlace::is_extended_boot);
    if (extended != places_.end())
      for (BlsEntry& bls : read_all(*extended->files)) {
        bls.entry.volume = "place/" + extended->name;
        all.push_back(std::move(bls));
      }
    const std::string conf = fs::try_read(*place.files, "/loader/loader.conf", largest_entry).value_or("");
    add({"systemd-boot", place.name, "/loader/loader.conf",
         order_as_systemd_boot(std::move(all), parse_loader_conf(conf))});
  }

  // Unified kernel images that an entry of the firmware starts: which one is known to it alone.
  void read_firmware(const BootPlace& place) {
    if (!place.is_esp || has_systemd_boot(place)) return;
    add({"UEFI", place.name, std::string(unified_folder), order_as_systemd_boot(read_unified(*place.files), "")});
  }

  void read_grub(const BootPlace& place) {
    std::vector<std::string> paths(std::begin(grub_files), std::end(grub_files));
    if (place.is_esp)
      for (const fs::Entry& vendor : entries_of(*place.files, "/EFI"))
        if (vendor.kind == fs::FileKind::directory) paths.push_back("/EFI/" + vendor.name + "/grub.cfg");
    for (const std::string& path : paths) read_grub_file(place, path, most_hops);
  }

  void read_grub_file(const BootPlace& place, const std::string& path, unsigned hops) {
    const auto real = fs::resolve(*place.files, path);
    if (!real || hops == 0 || !seen_.insert(place.name + ":" + *real).second) return;
    const auto text = fs::try_read(*place.files, *real, largest_file);
    if (!text) return;
    GrubMenu menu = read_grub_cfg(*text, environment(*place.files, *real));
    const std::string boot = folder_of(folder_of(*real));
    auto bls = order_as_grub(read_bls(*place.files, boot + "/loader/entries"), menu.variables);
    replace_bls(menu.items, bls);
    const auto chosen = menu.variables.find("default");
    add({"GRUB", place.name, *real, flatten(menu.items, chosen == menu.variables.end() ? "" : chosen->second)});
    if (!menu.next || !menu.items.empty()) return;
    const BootPlace* next = menu.next->volume.empty() ? &place : find_place(places_, menu.next->volume);
    if (next) read_grub_file(*next, menu.next->path, hops - 1);
  }

  static std::optional<GrubVariables> environment(fs::FileSystem& files, const std::string& config) {
    const auto text = fs::try_read(files, folder_of(config) + "/grubenv", largest_entry);
    return text ? std::optional(parse_grubenv(*text)) : std::nullopt;
  }

  void read_syslinux(const BootPlace& place) {
    for (std::string_view path : syslinux_files) {
      const auto text = fs::try_read(*place.files, path, largest_file);
      if (text) add({"SYSLINUX", place.name, std::string(path), parse_syslinux(*text, folder_of(std::string(path)))});
    }
  }

  std::span<const BootPlace> places_;
  std::set<std::string> seen_;
  std::vector<BootMenu> menus_;
};

}  // namespace

std::vector<BootMenu> read_boot_menus(std::span<const BootPlace> places) { return Reading(places).run(); }

const BootPlace* place_of(const BootEntry& entry, const BootMenu& menu, std::span<const BootPlace> places) {
  if (!entry.volume.empty()) return find_place(places, entry.volume);
  const auto found = std::ranges::find(places, menu.place, &BootPlace::name);
  return found == places.end() ? nullptr : &*found;
}

}  // namespace hrvm::probe
