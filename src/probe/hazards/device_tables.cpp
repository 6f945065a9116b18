// fstab(5) and crypttab(5): names that go with the computer, what lies on other disks, keys that lie in its TPM.
#include <algorithm>
#include <string_view>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "probe/boot/command_line.hpp"
#include "probe/boot/locate_device.hpp"
#include "probe/hazards/hazards.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;
using Fields = std::vector<std::string>;

constexpr std::size_t largest_table = 256 << 10, most_lines = 1024;

// Lines of fields parted by blanks, without comments.
std::vector<Fields> read_table(fs::FileSystem& root, const std::string& path) {
  const std::string text = fs::try_read(root, path, largest_table).value_or("");
  std::vector<Fields> table;
  for (std::string_view line : base::lines(text)) {
    Fields fields;
    std::string tabless(base::trim(line));
    std::ranges::replace(tabless, '\t', ' ');
    for (std::string_view field : base::split(tabless, ' '))
      if (!field.empty()) fields.emplace_back(field);
    if (!fields.empty() && !fields[0].starts_with('#') && table.size() < most_lines) table.push_back(std::move(fields));
  }
  return table;
}

bool has_option(const Fields& fields, std::size_t column, std::string_view option) {
  if (fields.size() <= column) return false;
  const auto options = base::split(fields[column], ',');
  return std::ranges::any_of(options, [&](std::string_view each) {
    return each == option || (option.ends_with('=') && each.starts_with(option));
  });
}

// What is not waited for at boot.
bool is_optional(const Fields& mount) {
  return mount.size() < 3 || has_option(mount, 3, "noauto") || has_option(mount, 3, "nofail") ||
         has_option(mount, 3, "x-systemd.automount");
}

struct Names {
  std::vector<std::string> all;
  void add(const std::string& text) {
    if (all.size() < 8) all.push_back(text);
  }
  std::string text() const { return base::join(all, ", "); }
};

// Where a container stays closed, what lies in it cannot be told apart from what lies on another disk.
bool has_closed_container(const Contents& contents) {
  const auto is_closed = [](const auto& each) {
    return each.filesystem == "crypto_LUKS" || each.filesystem == "zfs_member" || each.filesystem == "bcache" ||
           each.filesystem == "linux_raid_member";
  };
  return std::ranges::any_of(contents.partitions, is_closed) || std::ranges::any_of(contents.volumes, is_closed);
}

bool is_elsewhere(const DeviceName& device, const Contents& contents) {
  using By = DeviceName::By;
  const bool is_identity = device.by == By::uuid || device.by == By::partuuid || device.by == By::logical_volume;
  return is_identity && locate_device(device, contents).empty();
}

constexpr const char* by_uuid = "write UUID=… (from blkid) instead, on the computer itself or in the machine";

}  // namespace

void check_mounts(const HazardContext& context, Findings& findings) {
  Names bound, elsewhere;
  const bool is_whole = !has_closed_container(context.contents);
  for (const Fields& mount : read_table(*context.root, "/etc/fstab")) {
    if (is_optional(mount)) continue;
    const DeviceName device = parse_device_name(mount[0]);
    if (device.goes_with_hardware())
      bound.add(fmt::format("{} ({})", mount[0], mount[1]));
    else if (is_whole && mount[2] != "swap" && is_elsewhere(device, context.contents))
      elsewhere.add(fmt::format("{} ({})", mount[0], mount[1]));
  }
  if (!bound.all.empty())
    findings.push_back(
        {"fstab-names-hardware", Severity::warning, context.system.root,
         "/etc/fstab names devices as this computer does, and a machine may name them otherwise: " + bound.text(),
         by_uuid});
  if (!elsewhere.all.empty())
    findings.push_back({"fstab-other-disk", Severity::warning, context.system.root,
                        "/etc/fstab mounts what is not on this disk, and the start waits for it: " + elsewhere.text(),
                        "add nofail to its options, or give the machine that disk as well"});
}

void check_keys(const HazardContext& context, Findings& findings) {
  Names bound, sealed;
  for (const Fields& container : read_table(*context.root, "/etc/crypttab")) {
    if (container.size() < 2 || has_option(container, 3, "noauto") || has_option(container, 3, "nofail")) continue;
    if (parse_device_name(container[1]).goes_with_hardware())
      bound.add(fmt::format("{} ({})", container[1], container[0]));
    if (has_option(container, 3, "tpm2-device=")) sealed.add(container[0]);
  }
  if (!bound.all.empty())
    findings.push_back(
        {"crypttab-names-hardware", Severity::warning, context.system.root,
         "/etc/crypttab names devices as this computer does, and a machine may name them otherwise: " + bound.text(),
         by_uuid});
  if (!sealed.all.empty())
    findings.push_back(
        {"key-in-tpm", Severity::warning, context.system.root,
         fmt::format("the key of {} lies in this computer's TPM, which a machine does not have", sealed.text()),
         "have a passphrase or the recovery key at hand: the machine will ask for it"});
}

}  // namespace hrvm::probe
