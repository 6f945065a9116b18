#include "probe/boot/device_name.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"

namespace hrvm::probe {
namespace {

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

// "sda3", "vdb1", "hda1", "xvda1", "nvme0n1p3", "mmcblk0p2", and those of old RAID controllers: "cciss/c0d0p1".
bool is_kernel_name(std::string_view name) {
  for (std::string_view prefix : {"sd", "vd", "hd", "xvd", "dasd"})
    if (name.starts_with(prefix) && name.size() > prefix.size() && name[prefix.size()] >= 'a' &&
        name[prefix.size()] <= 'z')
      return name.find('/') == std::string_view::npos;
  for (std::string_view prefix : {"nvme", "mmcblk", "cciss/c", "ida/c", "rd/c", "i2o/hd", "ubd"})
    if (name.starts_with(prefix)) return true;
  return false;
}

// A disk's own number ("nvme0n1", "c0d0") is no partition's.
unsigned partition_of(std::string_view name) {
  const bool has_part = name.find("-part") != std::string_view::npos;
  const bool is_numbered =
      name.starts_with("nvme") || name.starts_with("mmcblk") || name.find("/c") != std::string_view::npos;
  if (is_numbered && name.find('p', 4) == std::string_view::npos) return 0;
  return has_part || is_kernel_name(name) ? trailing_number(name) : 0;
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// "mpatha", "mpathb2", "mpathcp3", "mpatha-part1", and by its WWID: "3600140500000000000000000000000a1".
bool is_multipath_name(std::string_view name) {
  if (name.starts_with("mpath")) return name.size() > 5 && name[5] >= 'a' && name[5] <= 'z';
  const auto id = name.substr(0, name.find_first_of("-p"));
  return (id.size() == 17 || id.size() == 33) && (id[0] == '3' || id[0] == '2') && is_hex(id);
}

DeviceName mapper_name(std::string_view name) {
  if (!is_multipath_name(name)) return {By::mapper, std::string(name)};
  const bool is_plain = name.find("-part") == std::string_view::npos && !name.starts_with("mpath");
  return {By::multipath, std::string(name), is_plain && name.find('p') == name.npos ? 0 : trailing_number(name)};
}

// Names in /dev/disk/by-id that what lies on the disk gives, and no hardware.
DeviceName id_name(std::string_view name) {
  const auto after = [&](std::string_view prefix) {
    return name.starts_with(prefix) ? name.substr(prefix.size()) : std::string_view();
  };
  if (const auto id = after("dm-uuid-LVM-"); !id.empty()) return {By::volume_id, std::string(id.substr(0, 64))};
  for (std::string_view prefix : {"dm-uuid-CRYPT-LUKS1-", "dm-uuid-CRYPT-LUKS2-"})
    if (const auto id = after(prefix); !id.empty()) return {By::luks_id, std::string(id.substr(0, 32))};
  if (const auto id = after("dm-name-"); !id.empty()) return mapper_name(id);
  if (const auto id = after("lvm-pv-uuid-"); !id.empty()) return {By::uuid, std::string(id)};
  for (std::string_view prefix : {"md-uuid-", "md-name-"})
    if (const auto id = after(prefix); !id.empty())
      return {By::array, std::string(id.substr(0, id.rfind("-part"))), partition_of(name)};
  return {By::id, std::string(name), partition_of(name)};
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Quotes are taken away in pairs.
std::string_view unquoted(std::string_view text) {
  const bool is_quoted =
      text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.front() == text.back();
  return is_quoted ? text.substr(1, text.size() - 2) : text;
}

// udev writes what may not stand in a link's name as "\x20".
std::string without_escapes(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto digits = text.substr(i, 2) == "\\x" ? text.substr(i + 2, 2) : std::string_view();
    const auto byte = digits.size() == 2 ? base::parse_unsigned(digits, 16) : std::nullopt;
    plain += byte ? char(*byte) : text[i];
    i += byte ? 3 : 0;
  }
  return plain;
}

DeviceName device_node(std::string_view name) {
  if (is_kernel_name(name)) return {By::kernel_name, std::string(name), partition_of(name)};
  if (name.starts_with("md/")) return {By::array, std::string(name.substr(3))};
  if (name.starts_with("md") && is_number(name.substr(2))) return {By::array, std::string(name.substr(2))};
  if (std::ranges::count(name, '/') == 1 && !name.starts_with("disk/")) return {By::logical_volume, std::string(name)};
  return {By::unknown, std::string(name)};
}

// Disks of these majors have their minors one after another; others' are given out as they are found.
struct NumberedDisks {
  unsigned major;
  std::string_view name;
  char first;  // the letter of the one whose minors begin with 0
  unsigned minors;
};
constexpr NumberedDisks numbered_disks[] = {
    {3, "hd", 'a', 64},
    {22, "hd", 'c', 64},
    {8, "sd", 'a', 16},
    {202, "xvd", 'a', 16},
};

DeviceName numbered_device(unsigned major, unsigned minor) {
  const auto disks = std::ranges::find(numbered_disks, major, &NumberedDisks::major);
  if (disks == std::end(numbered_disks) || minor / disks->minors > unsigned('z' - disks->first)) return {};
  const unsigned partition = minor % disks->minors;
  const char letter = char(disks->first + minor / disks->minors);
  return {By::kernel_name, fmt::format("{}{}{}", disks->name, letter, partition ? std::to_string(partition) : ""),
          partition};
}

// As the kernel takes it apart (early_lookup_bdev): "8:2", or in hexadecimal digits the number that stat(2) gives.
DeviceName device_by_number(std::string_view text) {
  constexpr std::uint64_t most = 0xffffffff;
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    const auto major = base::parse_unsigned(text.substr(0, colon)),
               minor = base::parse_unsigned(text.substr(colon + 1));
    return major && minor && *major <= most && *minor <= most ? numbered_device(unsigned(*major), unsigned(*minor))
                                                              : DeviceName{};
  }
  const auto number =
      text.size() >= 3 && text.size() <= 8 && is_hex(text) ? base::parse_unsigned(text, 16) : std::nullopt;
  if (!number) return {};
  return numbered_device(unsigned(*number >> 8 & 0xfff), unsigned((*number & 0xff) | (*number >> 12 & 0xfff00)));
}

// "0f1e-02/PARTNROFF=1": the partition whose number is greater by one, as ChromeOS's loader names its root.
DeviceName partuuid_name(std::string_view text) {
  constexpr std::string_view key = "/PARTNROFF=";
  DeviceName name{By::partuuid, std::string(text.substr(0, text.find('/')))};
  const auto at = text.find(key);
  if (at == std::string_view::npos) return name;
  auto digits = text.substr(at + key.size());
  const bool is_back = digits.starts_with('-');
  if (is_back) digits.remove_prefix(1);
  const int offset = int(std::min<std::uint64_t>(base::parse_unsigned(digits).value_or(0), 9999));
  name.offset = is_back ? -offset : offset;
  return name;
}

}  // namespace

DeviceName parse_device_name(std::string_view whole) {
  const std::string_view text = unquoted(whole);
  for (const Prefix& prefix : prefixes) {
    if (!text.starts_with(prefix.text)) continue;
    const bool is_path = prefix.text.starts_with("/dev/disk/");
    const std::string decoded = is_path ? without_escapes(text.substr(prefix.text.size()))
                                        : std::string(unquoted(text.substr(prefix.text.size())));
    const std::string_view name = decoded;
    const unsigned partition = prefix.by == By::path ? partition_of(name) : 0;
    if (prefix.by == By::id) return id_name(name);
    if (prefix.by == By::mapper) return mapper_name(name);
    if (prefix.by == By::dataset && name == "AUTO") return {By::dataset, ""};
    if (prefix.by == By::partuuid) return partuuid_name(name);
    return {prefix.by, std::string(base::trim(name)), partition};
  }
  if (text.starts_with("/dev/")) return device_node(text.substr(5));
  if (auto device = device_by_number(text); device.by != By::unknown) return device;
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
