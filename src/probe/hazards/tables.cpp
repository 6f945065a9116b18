#include "probe/hazards/tables.hpp"

#include <algorithm>
#include <iterator>

#include "hrvm/base/text.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t largest_table = 256 << 10, most_lines = 1024;

// "\040": a backslash and three octal digits.
std::string without_octal(std::string_view field) {
  std::string plain;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const auto digits = field[i] == '\\' ? field.substr(i + 1, 3) : std::string_view();
    const auto byte = digits.size() == 3 ? base::parse_unsigned(digits, 8) : std::nullopt;
    plain += byte ? char(*byte) : field[i];
    i += byte ? 3 : 0;
  }
  return plain;
}

// What is not waited for, or is made by the system itself.
bool is_awaited(const Fields& mount) {
  constexpr std::string_view own[] = {"proc",    "sysfs",   "tmpfs",     "devtmpfs", "devpts", "none",   "overlay",
                                      "cgroup2", "debugfs", "hugetlbfs", "swapfile", "fuse",   "mqueue", "virtiofs"};
  if (mount.size() < 3 || std::ranges::find(own, mount[2]) != std::end(own)) return false;
  for (std::string_view option : {"noauto", "nofail", "x-systemd.automount", "bind", "rbind", "loop", "bg"})
    if (has_option(mount, 3, option)) return false;
  return true;
}

}  // namespace

std::vector<Fields> parse_table(std::string_view text) {
  std::vector<Fields> table;
  for (std::string_view line : base::lines(text)) {
    Fields fields;
    std::string tabless(base::trim(line));
    std::ranges::replace(tabless, '\t', ' ');
    for (std::string_view field : base::split(tabless, ' '))
      if (!field.empty()) fields.push_back(without_octal(field));
    if (!fields.empty() && !fields[0].starts_with('#') && table.size() < most_lines) table.push_back(std::move(fields));
  }
  return table;
}

std::vector<Fields> read_table(fs::FileSystem& root, const std::string& path) {
  return parse_table(fs::try_read(root, path, largest_table).value_or(""));
}

bool has_option(const Fields& fields, std::size_t column, std::string_view option) {
  if (fields.size() <= column) return false;
  const auto options = base::split(fields[column], ',');
  return std::ranges::any_of(options, [&](std::string_view each) {
    return each == option || (option.ends_with('=') && each.starts_with(option));
  });
}

std::vector<Mount> awaited_mounts(fs::FileSystem& root) {
  std::vector<Mount> mounts;
  for (const Fields& fields : read_table(root, "/etc/fstab"))
    if (is_awaited(fields)) mounts.push_back({fields[0], fields[1], fields[2]});
  return mounts;
}

std::vector<EncryptedDevice> encrypted_devices(const std::vector<Fields>& table) {
  std::vector<EncryptedDevice> devices;
  for (const Fields& fields : table) {
    if (fields.size() < 2) continue;
    EncryptedDevice device{fields[0], fields[1], fields.size() > 2 ? fields[2] : "", true, {}};
    if (device.key == "none" || device.key == "-") device.key.clear();
    device.is_awaited = !has_option(fields, 3, "noauto") && !has_option(fields, 3, "nofail");
    if (fields.size() > 3)
      for (std::string_view option : base::split(fields[3], ',')) device.options.emplace_back(option);
    devices.push_back(std::move(device));
  }
  return devices;
}

}  // namespace hrvm::probe
