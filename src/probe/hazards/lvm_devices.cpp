// What keeps LVM from seeing a volume group once its disk has another name and another id: the list of devices
// (lvmdevices(8)) and the filters of lvm.conf(5). The initramfs has files of its own, by which the root is found.
#include <algorithm>
#include <iterator>
#include <string_view>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "probe/boot/command_line.hpp"
#include "probe/boot/device_name.hpp"
#include "probe/hazards/hazards.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;

constexpr std::size_t largest_file = 64 << 10;
constexpr std::string_view devices_path = "etc/lvm/devices/system.devices", conf_path = "etc/lvm/lvm.conf",
                           local_conf_path = "etc/lvm/lvmlocal.conf";

struct Files {
  std::string devices, conf;
};

std::string text_of(const Initramfs& initramfs, std::string_view path) {
  const auto found = initramfs.configuration.find(std::string(path));
  return found == initramfs.configuration.end() ? std::string() : found->second;
}

std::string text_of(fs::FileSystem* root, std::string_view path) {
  return root ? fs::try_read(*root, fmt::format("/{}", path), largest_file).value_or("") : std::string();
}

// "key = value" over all lines, with no comments and no blanks; lvmlocal.conf comes last, and has the last word.
std::string settings_of(std::string_view conf) {
  std::string settings = "\n";
  for (std::string_view line : base::lines(conf)) {
    line = line.substr(0, line.find('#'));
    std::ranges::copy_if(line, std::back_inserter(settings), [](char c) { return c != ' ' && c != '\t'; });
    settings += '\n';
  }
  return settings;
}

template <typename Source>
Files files_of(const Source& source) {
  return {text_of(source, devices_path),
          settings_of(text_of(source, conf_path) + "\n" + text_of(source, local_conf_path))};
}

// Ids of other kinds are those of what lies on disks, and stay.
bool goes_with_disk(std::string_view entry) {
  constexpr std::string_view key = "IDTYPE=";
  const auto at = entry.find(key);
  if (at == std::string_view::npos || entry.starts_with('#')) return false;
  const auto type = entry.substr(at + key.size());
  return !type.starts_with("crypt_uuid") && !type.starts_with("md_uuid") && !type.starts_with("lvmlv_uuid");
}

bool lists_hardware(const Files& files) {
  const auto entries = base::lines(files.devices);
  return files.conf.find("\nuse_devicesfile=0") == std::string::npos && std::ranges::any_of(entries, goes_with_disk);
}

// The list of patterns that the last of these settings has: ["a|/dev/sda.*|","r|.*|"].
std::string_view filter_of(std::string_view settings, std::string_view key) {
  const auto at = settings.rfind(fmt::format("\n{}=[", key));
  if (at == std::string_view::npos) return {};
  return settings.substr(at, settings.find("]\n", at) - at);
}

// Nothing but disks by these names.
bool is_bound(std::string_view filter) {
  constexpr std::string_view names[] = {"/dev/sd", "/dev/hd", "/dev/vd", "/dev/nvme", "by-path", "by-id"};
  constexpr std::string_view rest[] = {"\"r|.*|\"", "\"r/.*/\"", "\"r|.*/|\"", "\"r/.*|\""};
  const auto is_in = [&](std::string_view text) { return filter.find(text) != std::string_view::npos; };
  return std::ranges::any_of(rest, is_in) && filter.find("\"a") != std::string_view::npos &&
         std::ranges::any_of(names, is_in);
}

bool filters_hardware(const Files& files) {
  return is_bound(filter_of(files.conf, "filter")) || is_bound(filter_of(files.conf, "global_filter"));
}

bool is_on_lvm(const HazardContext& context) {
  const std::string place = context.system.root.substr(0, context.system.root.find(':'));
  if (std::ranges::any_of(context.contents.volumes,
                          [&](const Volume& each) { return each.kind == VolumeKind::lvm && each.path == place; }))
    return true;
  const std::string own = context.system.boot ? context.system.boot->command_line : std::string();
  const auto root = parse_device_name(parse_command_line(context.initramfs.command_line() + own).root);
  return root.by == DeviceName::By::logical_volume ||
         (root.by == DeviceName::By::mapper && !logical_volume_of(root.name).empty());
}

// Whose files decide.
struct Place {
  const Files& files;
  std::string_view where, then;
  Severity severity;
};

void tell(const Place& place, const HazardContext& context, Findings& findings) {
  const auto add = [&](const char* id, std::string message, const char* remedy) {
    findings.push_back({id, place.severity, context.system.root, std::move(message), remedy});
  };
  if (lists_hardware(place.files))
    add("lvm-devices-file",
        fmt::format("LVM looks at no other devices than /{} lists{}, by ids that the disk may not have in a machine: "
                    "{} would stay hidden",
                    devices_path, place.where, place.then),
        "where the start ends in the emergency shell: rm /etc/lvm/devices/system.devices, then lvm vgchange -ay and "
        "exit; for good, in the machine: vgimportdevices -a, then dracut -f");
  if (filters_hardware(place.files))
    add("lvm-filter",
        fmt::format("the filter in /{}{} lets LVM look at disks by the names that this computer gives them: {} would "
                    "stay hidden in a machine",
                    conf_path, place.where, place.then),
        "let the filter accept /dev/vd and /dev/sd as well and make the initramfs anew (dracut -f, update-initramfs "
        "-u); for one start of dracut's: rd.lvm.conf=0 on the kernel's command line");
}

}  // namespace

void check_lvm_devices(const HazardContext& context, Findings& findings) {
  if (!is_on_lvm(context)) return;
  const Files inside = files_of(context.initramfs), own = files_of(context.root);
  const auto before = findings.size();
  tell({inside, " in the initramfs", "the root's volume group", Severity::warning}, context, findings);
  if (findings.size() > before) return;
  const bool is_read = !context.initramfs.kernel.empty() && context.initramfs.incomplete.empty();
  tell({own, "", is_read ? "volume groups besides the root's" : "its volume group",
        is_read ? Severity::note : Severity::warning},
       context, findings);
}

}  // namespace hrvm::probe
