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
#include "probe/boot/grub_variables.hpp"
#include "probe/boot/syslinux.hpp"
#include "probe/boot/unified_image.hpp"
#include "probe/systems/linux_facts.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t largest_file = 4 << 20, largest_entry = 64 << 10, most_files = 1024, most_tops = 64;
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

constexpr std::string_view unified_folder = "/EFI/Linux", extension = ".efi",
                           removable_program = "/EFI/BOOT/BOOTX64.EFI";

// What systemd-boot finds by itself, and the ids by which loader.conf chooses it.
struct OtherLoader {
  std::string_view path, id, title;
};
constexpr OtherLoader other_loaders[] = {
    {"/EFI/Microsoft/Boot/bootmgfw.efi", "auto-windows", "Windows Boot Manager"},
    {"/System/Library/CoreServices/boot.efi", "auto-osx", "macOS"},
    {"/shellx64.efi", "auto-efi-shell", "EFI Shell"},
    {removable_program, "auto-efi-default", "EFI Default Loader"},
};

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
    if (!base::lower(entry.name).ends_with(".conf")) continue;
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

// What systemd-stub adds to the image in which it lies.
void add_addons(BootEntry& entry, fs::FileSystem& files) {
  for (const std::string& path : find_addons(files, entry.kernel)) {
    const auto addon = read_addon(files, path);
    if (!addon) continue;
    if (!addon->command_line.empty() && entry.command_line.size() + addon->command_line.size() < longest_text)
      entry.command_line += (entry.command_line.empty() ? "" : " ") + addon->command_line;
    if (addon->initramfs) entry.initramfs.push_back(path);
  }
}

// What an entry does not say is as the image has it that it starts.
void take_image(BootEntry& entry, const UnifiedImage& image, fs::FileSystem& files) {
  if (image.initramfs) entry.initramfs.insert(entry.initramfs.begin(), entry.kernel);
  if (entry.command_line.empty()) entry.command_line = image.command_line;
  if (!image.version.empty()) entry.version = image.version;
  add_addons(entry, files);
}

// Named and ordered as systemd-boot does it: by the os-release in it. An entry for each of its profiles.
std::vector<BlsEntry> unified_entries(fs::FileSystem& files, const std::string& path, const std::string& file_name) {
  std::vector<BlsEntry> found;
  for (const UnifiedImage& image : read_unified_images(files, path)) {
    const auto number = unsigned(found.size());
    BlsEntry unified = parse_bls("", file_name.substr(0, file_name.size() - extension.size()));
    const OsRelease release = parse_os_release(image.os_release), profile = parse_os_release(image.profile);
    const auto title = value(release, {"PRETTY_NAME", "IMAGE_ID", "NAME", "ID"});
    unified.entry.title = title.empty() ? "unified kernel image " + file_name : title;
    if (const auto more = value(profile, {"TITLE", "ID"}); !more.empty()) unified.entry.title += " (" + more + ")";
    unified.image_id = unified.entry.id += extension;
    const auto id = value(profile, {"ID"});
    if (number > 0) unified.entry.id += "@" + (id.empty() ? std::to_string(number) : id);
    unified.entry.kernel = path;
    unified.program = BlsProgram::uki;
    unified.profile = unified.entry.profile = number;
    unified.version = value(release, {"IMAGE_VERSION", "VERSION", "VERSION_ID", "BUILD_ID"});
    unified.sort_key = value(release, {"IMAGE_ID", "ID"});
    take_image(unified.entry, image, files);
    found.push_back(std::move(unified));
  }
  return found;
}

bool is_program(const std::string& name) { return base::lower(name).ends_with(extension); }

std::vector<BlsEntry> read_unified(fs::FileSystem& files, const std::string& folder = std::string(unified_folder)) {
  std::vector<BlsEntry> found;
  for (const fs::Entry& file : entries_of(files, folder))
    if (file.kind != fs::FileKind::directory && is_program(file.name))
      std::ranges::move(unified_entries(files, folder + "/" + file.name, file.name), std::back_inserter(found));
  return found;
}

// An entry may name an image, as a program or as a kernel.
void settle_program(BlsEntry& bls, fs::FileSystem& files) {
  if (bls.program == BlsProgram::uki_url) return;
  bls.entry.profile = bls.profile.value_or(0);
  if (const auto image = read_unified_image(files, bls.entry.kernel, bls.entry.profile))
    take_image(bls.entry, *image, files);
}

// systemd-boot leaves out what it cannot find. Where that is all there is, the kernels may lie on another disk, or are
// damaged: their entries still tell what is meant to start.
void keep_those_there(std::vector<BlsEntry>& all, fs::FileSystem& files) {
  const auto is_there = [&](const BlsEntry& bls) {
    return bls.program == BlsProgram::uki_url || fs::exists(files, bls.entry.kernel);
  };
  if (std::ranges::any_of(all, is_there)) std::erase_if(all, [&](const BlsEntry& bls) { return !is_there(bls); });
}

std::vector<BlsEntry> read_shown(fs::FileSystem& files) {
  auto all = read_bls(files, "/loader/entries");
  std::erase_if(all, [](const BlsEntry& bls) { return !is_shown(bls); });
  keep_those_there(all, files);
  for (BlsEntry& bls : all) settle_program(bls, files);
  std::ranges::move(read_unified(files), std::back_inserter(all));
  return all;
}

std::vector<BlsEntry> find_other_loaders(fs::FileSystem& esp) {
  std::vector<BlsEntry> found;
  for (const OtherLoader& each : other_loaders) {
    const std::string path(each.path);
    if (!fs::exists(esp, path) || (path == removable_program && is_systemd_boot(esp, path))) continue;
    BlsEntry other = parse_bls("", each.id);
    other.entry.title = each.title;
    found.push_back(std::move(other));
  }
  return found;
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
    for (const auto read : {&Reading::read_removable, &Reading::read_systemd_boot, &Reading::read_grub,
                            &Reading::read_syslinux, &Reading::read_firmware})
      for (const BootPlace& place : places_) try {
          (this->*read)(place);
        } catch (const base::Error&) {
          // A damaged filesystem is reported where it was opened, and menus that make no sense are none.
        }
    if (std::ranges::none_of(menus_, offers_kernel)) read_bare_entries();
    return std::move(menus_);
  }

 private:
  void add(BootMenu menu) {
    if (!menu.entries.empty()) menus_.push_back(std::move(menu));
  }

  static bool has_systemd_boot(const BootPlace& place) {
    return place.is_esp &&
           (fs::exists(*place.files, "/loader/loader.conf") || fs::exists(*place.files, "/loader/entries.srel") ||
            fs::exists(*place.files, "/EFI/systemd/systemd-bootx64.efi") ||
            is_systemd_boot(*place.files, std::string(removable_program)));
  }

  // An image by the name that a firmware starts where it has no boot entry.
  void read_removable(const BootPlace& place) {
    if (!place.is_esp) return;
    const std::string path(removable_program);
    auto all = unified_entries(*place.files, path, path.substr(path.rfind('/') + 1));
    add({"UEFI", place.name, path, order_as_systemd_boot(std::move(all), {})});
  }

  // Its entries lie in the ESP and, since version 242, in a boot partition of the type XBOOTLDR.
  void read_systemd_boot(const BootPlace& place) {
    if (!has_systemd_boot(place)) return;
    auto all = read_shown(*place.files);
    const auto extended = std::ranges::find_if(places_, &BootPlace::is_extended_boot);
    if (extended != places_.end())
      for (BlsEntry& bls : read_shown(*extended->files)) {
        bls.entry.volume = "place/" + extended->name;
        all.push_back(std::move(bls));
      }
    std::ranges::move(find_other_loaders(*place.files), std::back_inserter(all));
    const std::string conf = fs::try_read(*place.files, "/loader/loader.conf", largest_entry).value_or("");
    add({"systemd-boot", place.name, "/loader/loader.conf",
         order_as_systemd_boot(std::move(all), parse_loader_conf(conf))});
  }

  // Unified kernel images that an entry of the firmware starts: which one is known to it alone.
  void read_firmware(const BootPlace& place) {
    if (!place.is_esp || has_systemd_boot(place)) return;
    auto all = read_unified(*place.files);
    for (const fs::Entry& vendor : entries_of(*place.files, "/EFI"))
      if (const auto name = base::lower(vendor.name); name != "linux" && name != "boot")
        std::ranges::move(read_unified(*place.files, "/EFI/" + vendor.name), std::back_inserter(all));
    add({"UEFI", place.name, std::string(unified_folder), order_as_systemd_boot(std::move(all), {})});
  }

  static bool offers_kernel(const BootMenu& menu) {
    return std::ranges::any_of(menu.entries, [](const BootEntry& entry) { return !entry.kernel.empty(); });
  }

  // Entries without a loader's configuration that is known here: they are in the order of the loader that most have
  // where they lie.
  void read_bare_entries() {
    for (const BootPlace& place : places_) try {
        for (const std::string& top : tops_of(place))
          for (const char* folder : {"/loader/entries", "/boot/loader/entries"}) {
            auto all = read_bls(*place.files, top + folder);
            std::erase_if(all, [](const BlsEntry& bls) { return !is_shown(bls); });
            for (BlsEntry& bls : all) settle_program(bls, *place.files);
            const bool is_of_firmware = place.is_esp || place.is_extended_boot;
            auto entries =
                is_of_firmware ? order_as_systemd_boot(std::move(all), {}) : order_as_grub(std::move(all), {});
            if (!is_of_firmware && !entries.empty()) entries.front().is_default = true;
            add({"BLS", place.name, top + folder, std::move(entries)});
          }
      } catch (const base::Error&) {
        // As above.
      }
  }

  void read_grub(const BootPlace& place) {
    std::vector<std::string> paths;
    for (const std::string& top : tops_of(place))
      for (const std::string_view path : grub_files) paths.push_back(top + std::string(path));
    if (place.is_esp)
      for (const fs::Entry& vendor : entries_of(*place.files, "/EFI"))
        if (vendor.kind == fs::FileKind::directory) paths.push_back("/EFI/" + vendor.name + "/grub.cfg");
    for (const std::string& path : paths) read_grub_file(place, path, most_hops);
  }

  // From where a path can count: SUSE's GRUB starts at the default subvolume, others at the top of the filesystem; and
  // a core image may name any subvolume. A snapshot that cannot be written to is not what starts.
  static std::vector<std::string> tops_of(const BootPlace& place) {
    std::vector<std::string> tops{""};
    for (const fs::Subvolume& each : place.files->subvolumes()) {
      if (each.path.empty() || tops.size() > most_tops) continue;
      if (each.is_default)
        tops.insert(tops.begin(), "/" + each.path);
      else if (!each.is_read_only)
        tops.push_back("/" + each.path);
    }
    return tops;
  }

  static std::string find_file(const BootPlace& place, const std::string& path) {
    for (const std::string& top : tops_of(place))
      if (auto real = fs::resolve(*place.files, top + path)) return *real;
    return {};
  }

  void read_grub_file(const BootPlace& place, const std::string& path, unsigned hops) {
    const auto real = fs::resolve(*place.files, path);
    if (!real || hops == 0 || !seen_.insert(place.name + ":" + *real).second) return;
    const auto text = fs::try_read(*place.files, *real, largest_file);
    if (!text) return;
    GrubMenu menu = read_grub_cfg(*text, environment(*place.files, *real));
    replace_bls(menu.items, bls_of(menu, place, folder_of(folder_of(*real))));
    settle_chains(menu.items, place);
    const auto chosen = menu.variables.find("default");
    add({"GRUB", place.name, *real, flatten(menu.items, chosen == menu.variables.end() ? "" : chosen->second)});
    if (!menu.next || !menu.items.empty()) return;
    const BootPlace* next = menu.next->volume.empty() ? &place : find_place(places_, menu.next->volume);
    if (next) read_grub_file(*next, find_file(*next, menu.next->path), hops - 1);
  }

  // Entries lie beside the menu, or on the boot partition that it searched for.
  std::vector<BootEntry> bls_of(const GrubMenu& menu, const BootPlace& place, const std::string& boot) const {
    auto all = read_bls(*place.files, boot + "/loader/entries");
    std::string volume;
    for (const char* name : {"boot", "root"}) {
      const auto device = menu.variables.find(name);
      const BootPlace* other =
          device == menu.variables.end() || !all.empty() ? nullptr : find_place(places_, device->second);
      if (other == nullptr || other == &place) continue;
      volume = "place/" + other->name;
      for (const char* folder : {"/loader/entries", "/boot/loader/entries"})
        if (all.empty()) all = read_bls(*other->files, folder);
    }
    std::erase_if(all, [](const BlsEntry& bls) { return bls.program != BlsProgram::linux; });
    for (BlsEntry& bls : all) bls.entry.volume = volume;
    return order_as_grub(std::move(all), menu.variables);
  }

  // A program that GRUB hands over to is an entry where it is a unified kernel image.
  void settle_chains(std::vector<GrubItem>& items, const BootPlace& place) const {
    for (GrubItem& item : items) {
      settle_chains(item.items, place);
      BootEntry& entry = item.entry;
      if (!is_program(entry.kernel)) continue;
      const BootPlace* at = entry.volume.empty() ? &place : find_place(places_, entry.volume);
      const auto image = at ? read_unified_image(*at->files, entry.kernel) : std::nullopt;
      if (image)
        take_image(entry, *image, *at->files);
      else if (entry.is_chained)
        entry.kernel.clear();
    }
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
