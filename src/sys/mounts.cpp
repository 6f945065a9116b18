#include "hrvm/sys/mounts.hpp"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::sys {

namespace {

using Fields = std::vector<std::string_view>;

constexpr std::size_t table_limit = 16 * base::MiB;

std::string read_table(const Host& host, std::string_view path) {
  return try_read_file(host.path(path), table_limit).value_or("");
}

bool is_octal(std::string_view digits) { return digits.size() == 3 && base::parse_unsigned(digits, 8).has_value(); }

// The kernel writes white space and backslashes in paths as "\040".
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view digits = text.substr(i + 1, 3);
    if (text[i] == '\\' && is_octal(digits)) {
      out += char(*base::parse_unsigned(digits, 8));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<std::string> owned(const Fields& fields) { return {fields.begin(), fields.end()}; }

bool contains(const Fields& fields, std::string_view word) { return std::ranges::find(fields, word) != fields.end(); }

unsigned number(std::string_view text) { return unsigned(base::parse_unsigned(text).value_or(0)); }

// proc(5): id parent major:minor root mount-point options [tags…] - type source super-options
std::optional<Mount> parse_mount(std::string_view line) {
  constexpr std::size_t first_tag = 6, after_dash = 4;
  const Fields fields = base::split(line, ' ');
  if (fields.size() < first_tag + after_dash) return std::nullopt;
  const auto dash = std::find(fields.begin() + first_tag, fields.end(), "-");
  const Fields device = base::split(fields[2], ':');
  if (fields.end() - dash < std::ptrdiff_t(after_dash) || device.size() != 2) return std::nullopt;
  const Fields mount_options = base::split(fields[5], ','), super_options = base::split(dash[3], ',');
  Mount mount{.id = number(fields[0]),
              .parent = number(fields[1]),
              .device_major = number(device[0]),
              .device_minor = number(device[1]),
              .root = unescape(fields[3]),
              .mount_point = unescape(fields[4]),
              .type = unescape(dash[1]),
              .source = unescape(dash[2]),
              .writable = !contains(mount_options, "ro") && !contains(super_options, "ro"),
              .super_options = owned(super_options)};
  for (std::string& option : mount.super_options) option = unescape(option);
  return mount;
}

using Candidates = std::vector<const Mount*>;

// The one that is met first when the path is walked from its beginning, taken out of `candidates`.
const Mount* take_shortest(Candidates& candidates, auto&& matches) {
  const Mount* best = nullptr;
  for (const Mount* mount : candidates)
    if (matches(*mount) && (!best || mount->mount_point.size() < best->mount_point.size())) best = mount;
  std::erase(candidates, best);
  return best;
}

}  // namespace

bool lies_in(std::string_view path, std::string_view folder) {
  if (folder.ends_with('/')) folder.remove_suffix(1);
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

std::vector<Mount> mounts(const Host& host) {
  std::vector<Mount> result;
  const std::string table = read_table(host, "/proc/self/mountinfo");
  for (const std::string_view line : base::lines(table))
    if (auto mount = parse_mount(line)) result.push_back(std::move(*mount));
  return result;
}

// Walks down as the kernel does, from each mount to the one mounted on it: so what lies below a later mount is hidden,
// which neither the order of the table nor the length of the mount points shows.
std::optional<Mount> mount_of(const std::vector<Mount>& all, std::string_view absolute_path) {
  Candidates candidates;
  for (const Mount& mount : all)
    if (lies_in(absolute_path, mount.mount_point)) candidates.push_back(&mount);
  const Candidates listed = candidates;
  const auto has_no_parent = [&](const Mount& mount) {
    return std::ranges::find(listed, mount.parent, &Mount::id) == listed.end();
  };
  const auto any = [](const Mount&) { return true; };
  const Mount* current = take_shortest(candidates, has_no_parent);
  if (!current) current = take_shortest(candidates, any);
  if (!current) return std::nullopt;
  const auto on_current = [&](const Mount& mount) { return mount.parent == current->id; };
  while (const Mount* next = take_shortest(candidates, on_current)) current = next;
  return *current;
}

std::vector<Swap> swaps(const Host& host) {
  std::vector<Swap> result;
  const std::string table = read_table(host, "/proc/swaps");
  for (const std::string_view line : base::lines(table))
    if (line.starts_with('/')) result.push_back({unescape(line.substr(0, line.find_first_of(" \t")))});
  return result;
}

Space kernel_space(const Path& path) {
  struct statvfs fs {};
  for (Path place = sys::absolute(path);; place = place.parent_path()) {
    if (::statvfs(place.c_str(), &fs) == 0)
      return {fs.f_blocks * fs.f_frsize, (fs.f_blocks - std::min(fs.f_bfree, fs.f_blocks)) * fs.f_frsize,
              fs.f_bavail * fs.f_frsize};
    if (errno != ENOENT || place == place.root_path())
      throw base::system_error(errno, "ask for the free space of", place);
  }
}

Memory memory(const Host& host) {
  const std::string table = read_table(host, "/proc/meminfo");
  const auto bytes_of = [&](std::string_view name) -> std::uint64_t {
    for (const std::string_view line : base::lines(table)) {
      if (!line.starts_with(name)) continue;
      const std::string_view value = base::trim(line.substr(name.size()));
      return base::parse_unsigned(value.substr(0, value.find(' '))).value_or(0) * base::KiB;
    }
    return 0;
  };
  return {.total_bytes = bytes_of("MemTotal:"), .available_bytes = bytes_of("MemAvailable:")};
}

unsigned processors(const Host& host) {
  const std::string table = read_table(host, "/proc/cpuinfo");
  const Fields all = base::lines(table);
  const auto count = std::ranges::count_if(all, [](std::string_view line) {
    return line.starts_with("processor") && base::trim(line.substr(9)).starts_with(':');
  });
  return unsigned(std::max<std::ptrdiff_t>(count, 1));
}

}  // namespace hrvm::sys
