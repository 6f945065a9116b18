#include "probe/boot/command_line.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "hrvm/base/text.hpp"

namespace hrvm::probe {
namespace {

// Words parted by blanks; double quotes hold one together, and are no part of it.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  for (char c : text) {
    if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == ' ' || c == '\t' || c == '\n')) {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
    } else {
      word += c;
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::string subvolume_of(std::string_view flags) {
  for (std::string_view flag : base::split(flags, ',')) {
    if (!flag.starts_with("subvol=")) continue;
    flag.remove_prefix(7);
    return std::string(flag.substr(std::min(flag.find_first_not_of('/'), flag.size())));
  }
  return {};
}

void add(std::vector<std::string>& devices, std::string device) {
  if (devices.size() < 16 && !std::ranges::count(devices, device)) devices.push_back(std::move(device));
}

// rd.luks.uuid=luks-UUID and rd.luks.name=UUID=NAME of dracut and systemd, cryptdevice=DEVICE:NAME of Arch.
void take_luks(CommandLine& line, std::string_view key, std::string_view value) {
  if (value.starts_with("luks-")) value.remove_prefix(5);
  if (key == "rd.luks.uuid" || key == "luks.uuid") add(line.luks, "UUID=" + std::string(value));
  if (key == "rd.luks.name" || key == "luks.name")
    add(line.luks, "UUID=" + std::string(value.substr(0, value.find('='))));
  if (key == "cryptdevice") add(line.luks, std::string(value.substr(0, value.find(':'))));
}

void take(CommandLine& line, std::string_view key, std::string_view value) {
  if (key == "root") line.root = value;
  if (key == "rootflags") line.subvolume = subvolume_of(value);
  if (key == "resume") line.resume = value;
  if (key == "noresume") line.resume.clear();
  if (key == "console" && line.consoles.size() < 16) line.consoles.emplace_back(value.substr(0, value.find(',')));
  if (key == "rd.lvm.lv" || key == "rd.lvm.vg") add(line.volumes, std::string(value));
  if (key == "rd.md.uuid") add(line.arrays, std::string(value));
  take_luks(line, key, value);
}

struct Prefix {
  std::string_view text;
  DeviceName::By by;
};
using By = DeviceName::By;
constexpr Prefix prefixes[] = {
    {"UUID=", By::uuid},
    {"LABEL=", By::label},
    {"PARTUUID=", By::partuuid},
    {"PARTLABEL=", By::partlabel},
    {"/dev/disk/by-uuid/", By::uuid},
    {"/dev/disk/by-label/", By::label},
    {"/dev/disk/by-partuuid/", By::partuuid},
    {"/dev/disk/by-partlabel/", By::partlabel},
    {"/dev/disk/by-path/", By::path},
    {"/dev/disk/by-id/", By::id},
    {"/dev/mapper/", By::mapper},
    {"ZFS=", By::dataset},
    {"zfs=", By::dataset},
    {"zfs:", By::dataset},
};

unsigned trailing_number(std::string_view name) {
  const auto digits = name.find_last_not_of("0123456789") + 1;
  return unsigned(std::min<std::uint64_t>(base::parse_unsigned(name.substr(digits)).value_or(0), 9999));
}

// "sda3", "vdb1", "hda1", "xvda1", "nvme0n1p3", "mmcblk0p2".
bool is_kernel_name(std::string_view name) {
  for (std::string_view prefix : {"sd", "vd", "hd", "xvd"})
    if (name.starts_with(prefix) && name.size() > prefix.size() && name[prefix.size()] >= 'a' &&
        name[prefix.size()] <= 'z')
      return name.find('/') == std::string_view::npos;
  return name.starts_with("nvme") || name.starts_with("mmcblk");
}

// A disk's own number ("nvme0n1") is no partition's.
unsigned partition_of(std::string_view name) {
  const bool has_part = name.find("-part") != std::string_view::npos;
  const bool is_numbered = name.starts_with("nvme") || name.starts_with("mmcblk");
  if (is_numbered && name.find('p', 4) == std::string_view::npos) return 0;
  return has_part || is_kernel_name(name) ? trailing_number(name) : 0;
}

DeviceName device_node(std::string_view name) {
  if (is_kernel_name(name)) return {By::kernel_name, std::string(name), partition_of(name)};
  if (std::ranges::count(name, '/') == 1 && !name.starts_with("disk/") && !name.starts_with("md/"))
    return {By::logical_volume, std::string(name)};
  return {By::unknown, std::string(name)};
}

}  // namespace

bool CommandLine::has_serial_console() const {
  return std::ranges::any_of(consoles, [](const std::string& name) { return name.starts_with("ttyS"); });
}

CommandLine parse_command_line(std::string_view text) {
  CommandLine line;
  for (const std::string& word : words_of(text)) {
    const auto equals = std::min(word.find('='), word.size());
    take(line, std::string_view(word).substr(0, equals),
         std::string_view(word).substr(std::min(equals + 1, word.size())));
  }
  return line;
}

DeviceName parse_device_name(std::string_view text) {
  for (const Prefix& prefix : prefixes) {
    if (!text.starts_with(prefix.text)) continue;
    const auto name = text.substr(prefix.text.size());
    const unsigned partition = prefix.by == By::path || prefix.by == By::id ? partition_of(name) : 0;
    if (prefix.by == By::dataset && name == "AUTO") return {By::dataset, ""};
    if (prefix.by == By::partuuid) return {By::partuuid, std::string(name.substr(0, name.find('/')))};
    return {prefix.by, std::string(base::trim(name)), partition};
  }
  if (text.starts_with("/dev/")) return device_node(text.substr(5));
  return {By::unknown, std::string(text)};
}

// A dash within a name is doubled, the single one parts them.
std::string logical_volume_of(std::string_view mapper_name) {
  std::string name;
  bool parted = false;
  for (std::size_t i = 0; i < mapper_name.size(); ++i) {
    const bool is_dash = mapper_name[i] == '-';
    const bool is_doubled = is_dash && mapper_name.substr(i, 2) == "--";
    if (is_dash && !is_doubled && parted) return {};
    name += is_dash && !is_doubled ? '/' : mapper_name[i];
    parted = parted || (is_dash && !is_doubled);
    i += is_doubled ? 1 : 0;
  }
  return parted && !name.starts_with('/') && !name.ends_with('/') ? name : std::string();
}

}  // namespace hrvm::probe
