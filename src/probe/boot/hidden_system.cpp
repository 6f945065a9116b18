#include "probe/boot/hidden_system.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "probe/boot/command_line.hpp"
#include "probe/boot/device_name.hpp"
#include "probe/boot/locate_device.hpp"

namespace hrvm::probe {
namespace {

struct Named {
  std::string_view title, id, name;
};
// By the words that menu entries of each begin with.
constexpr Named known[] = {
    {"Proxmox", "proxmox", "Proxmox VE"},
    {"Debian", "debian", "Debian GNU/Linux"},
    {"Ubuntu", "ubuntu", "Ubuntu"},
    {"Fedora", "fedora", "Fedora Linux"},
    {"Red Hat", "rhel", "Red Hat Enterprise Linux"},
    {"Rocky", "rocky", "Rocky Linux"},
    {"AlmaLinux", "almalinux", "AlmaLinux"},
    {"CentOS", "centos", "CentOS"},
    {"openSUSE", "opensuse", "openSUSE"},
    {"SLES", "sles", "SUSE Linux Enterprise Server"},
    {"Arch", "arch", "Arch Linux"},
    {"Alpine", "alpine", "Alpine Linux"},
    {"NixOS", "nixos", "NixOS"},
    {"Linux Mint", "linuxmint", "Linux Mint"},
};

Named name_of(const BootEntry& entry) {
  if (entry.version.ends_with("-pve")) return known[0];
  const auto* found =
      std::ranges::find_if(known, [&](const Named& each) { return entry.title.starts_with(each.title); });
  return found == std::end(known) ? Named{"", "linux", "Linux"} : *found;
}

// The only partition or volume of this kind; empty where there are none or several.
std::string only(const Contents& contents, std::string_view filesystem) {
  std::vector<std::string> names;
  for (const SurveyedPartition& each : contents.partitions)
    if (each.filesystem == filesystem) names.push_back(fmt::format("p{}", each.partition.number));
  for (const Volume& each : contents.volumes)
    if (each.filesystem == filesystem) names.push_back(each.path);
  return names.size() == 1 ? names.front() : std::string();
}

bool is_luks(const Contents& contents, const std::string& place) {
  return std::ranges::any_of(contents.partitions,
                             [&](const SurveyedPartition& each) {
                               return each.filesystem == "crypto_LUKS" &&
                                      place == fmt::format("p{}", each.partition.number);
                             }) ||
         std::ranges::any_of(contents.volumes, [&](const Volume& each) {
           return each.filesystem == "crypto_LUKS" && place == each.path;
         });
}

// crypttab(5) opens what bears the root first, or under the name that the command line knows it by.
std::string luks_in_table(std::string_view crypttab, const DeviceName& root, const Contents& contents) {
  std::string first;
  for (const std::string_view line : base::lines(crypttab)) {
    std::vector<std::string_view> fields;
    for (const std::string_view blank_free : base::split(line, '\t'))
      for (const std::string_view field : base::split(blank_free, ' '))
        if (!field.empty()) fields.push_back(field);
    if (fields.size() < 2 || fields[0].starts_with('#')) continue;
    const auto place = locate_device(parse_device_name(fields[1]), contents);
    if (!is_luks(contents, place)) continue;
    if (root.by == DeviceName::By::mapper && root.name == fields[0]) return place;
    if (first.empty()) first = place;
  }
  return first;
}

std::string luks_of(const CommandLine& line, const Contents& contents, std::string_view crypttab) {
  for (const std::string& device : line.luks)
    if (auto place = locate_device(parse_device_name(device), contents); is_luks(contents, place)) return place;
  const auto root =
      line.leaves_root_to_type() ? root_by_type(contents) : locate_device(parse_device_name(line.root), contents);
  if (is_luks(contents, root)) return root;
  if (!root.empty()) return {};
  const auto named = luks_in_table(crypttab, parse_device_name(line.root), contents);
  return named.empty() ? only(contents, "crypto_LUKS") : named;
}

bool has_pool(const Contents& contents) {
  const auto is_member = [](const auto& each) { return each.filesystem == "zfs_member"; };
  return std::ranges::any_of(contents.partitions, is_member) || std::ranges::any_of(contents.volumes, is_member);
}

std::vector<std::string> unreadable_places(const Contents& contents) {
  std::vector<std::string> places;
  for (const base::Finding& finding : contents.findings)
    if (finding.id == "cannot-look-inside") places.push_back(finding.subject);
  return places;
}

// The root that is named, or the /usr that it gets: in a filesystem that cannot be read (of images EROFS and squashfs,
// F2FS, bcachefs), or in one in which no system is known, as its /usr is gone. Where nothing tells of a root, that is
// the only one that cannot be read.
std::string named_root(const CommandLine& line, const Contents& contents) {
  const auto unreadable = unreadable_places(contents);
  const auto is_unreadable = [&](const std::string& place) {
    return std::ranges::find(unreadable, place) != unreadable.end();
  };
  const auto root =
      line.leaves_root_to_type() ? root_by_type(contents) : locate_device(parse_device_name(line.root), contents);
  const auto usr = locate_device(parse_device_name(line.usr), contents);
  if (!root.empty() && (contents.systems.empty() || is_unreadable(root) || is_unreadable(usr))) return root;
  if (is_unreadable(usr)) return usr;
  return root.empty() && line.root.empty() && unreadable.size() == 1 ? unreadable.front() : std::string();
}

}  // namespace

System system_by_entry(const BootEntry& entry, std::string root, Contents& contents) {
  const Named named = name_of(entry);
  System system;
  system.id = named.id;
  system.name = system.pretty = named.name;
  system.family = SystemFamily::linux;
  if (!entry.version.empty()) system.kernels = {entry.version};
  // That a system there is not named would no longer be so.
  std::erase_if(contents.findings, [&](const base::Finding& finding) {
    return finding.id == "cannot-look-inside" && finding.subject == root;
  });
  contents.findings.push_back(
      {"system-by-loader", base::Severity::note, root,
       fmt::format("nothing that is seen of it names its system: its boot loader's entry does, \"{}\"", entry.title),
       ""});
  system.root = std::move(root);
  return system;
}

std::optional<System> hidden_system(const BootEntry& entry, Contents& contents, std::string_view crypttab) {
  const CommandLine line = parse_command_line(entry.command_line);
  const DeviceName root = parse_device_name(line.root);
  const bool is_dataset = root.by == DeviceName::By::dataset && has_pool(contents);
  const std::string place = is_dataset ? root.name : luks_of(line, contents, crypttab);
  if (!place.empty() || is_dataset) {
    System system = system_by_entry(entry, place, contents);
    system.encrypted = !is_dataset;
    return system;
  }
  const std::string named_place = named_root(line, contents);
  return named_place.empty() ? std::nullopt : std::optional(system_by_entry(entry, named_place, contents));
}

}  // namespace hrvm::probe
