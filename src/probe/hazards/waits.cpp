// What an initramfs waits for before it mounts the root (dracut.cmdline(7): rd.lvm.lv, rd.lvm.vg, rd.luks.uuid,
// rd.md.uuid), and what of it lies on another disk.
#include <algorithm>
#include <string_view>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "probe/boot/command_line.hpp"
#include "probe/hazards/hazards.hpp"
#include "probe/hazards/whereabouts.hpp"

namespace hrvm::probe {
namespace {

constexpr std::string_view own_line = "the kernel's command line", initramfs_line = "etc/cmdline.d of its initramfs";

template <typename Is>
bool any_place(const Contents& contents, Is is) {
  return std::ranges::any_of(contents.partitions, is) || std::ranges::any_of(contents.volumes, is);
}

// What may be in a container that stays closed is not taken for another disk's.
bool has_closed_container(const Contents& contents) {
  return any_place(contents, [](const auto& each) {
    return each.filesystem == "crypto_LUKS" || each.filesystem == "linux_raid_member" || each.filesystem == "bcache";
  });
}

bool has_group(const Contents& contents, std::string_view volume) {
  const std::string group(volume.substr(0, volume.find('/')));
  return std::ranges::any_of(contents.sets,
                             [&](const DiskSet& set) { return set.kind == VolumeKind::lvm && set.name == group; }) ||
         std::ranges::any_of(contents.volumes, [&](const Volume& each) { return each.path.starts_with(group + "/"); });
}

std::string digits_of(std::string_view uuid) {
  std::string digits = base::lower(uuid);
  std::erase_if(digits, [](char c) { return c == '-' || c == ':'; });
  return digits;
}

// dracut takes the beginning of a UUID as well.
bool has_member(const Contents& contents, std::string_view type, std::string_view uuid) {
  const std::string wanted = digits_of(uuid);
  return any_place(
      contents, [&](const auto& each) { return each.filesystem == type && digits_of(each.uuid).starts_with(wanted); });
}

std::vector<std::string> missing(const CommandLine& line, const Contents& contents) {
  std::vector<std::string> names;
  for (const std::string& volume : line.volumes)
    if (!has_closed_container(contents) && !has_group(contents, volume)) names.push_back("LVM " + volume);
  for (std::string_view device : line.luks)
    if (constexpr std::string_view by = "UUID=";
        device.starts_with(by) && !has_member(contents, "crypto_LUKS", device.substr(by.size())))
      names.push_back(fmt::format("LUKS {}", device.substr(by.size())));
  for (const std::string& array : line.arrays)
    if (!has_member(contents, "linux_raid_member", array)) names.push_back("RAID " + array);
  return names;
}

}  // namespace

void check_waits(const HazardContext& context, Findings& findings) {
  const std::string own = context.system.boot ? context.system.boot->command_line : std::string();
  const Contents all = with_companions(context.contents);
  for (const auto& [text, source] : {std::pair{own, own_line}, {context.initramfs.command_line(), initramfs_line}}) {
    const auto names = missing(parse_command_line(text), all);
    if (names.empty()) continue;
    findings.push_back({"start-waits-for-other-disk", base::Severity::warning, context.system.root,
                        fmt::format("its start waits for what is not on this disk: {} ({})",
                                    base::printable(base::join(names, ", ")), source),
                        source == own_line ? "give the machine that disk as well, or take the words away in the boot "
                                             "loader's menu"
                                           : "give the machine that disk as well, or make the initramfs anew without "
                                             "it: dracut -f"});
  }
}

}  // namespace hrvm::probe
