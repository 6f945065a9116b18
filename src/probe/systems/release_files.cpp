// Systems from before os-release(5), and small ones without it: each distribution had a file of its own.
#include <algorithm>

#include "hrvm/base/text.hpp"
#include "probe/systems/linux_facts.hpp"
#include "probe/systems/systems.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t limit = 4096;

// A file whose first line names it ("CentOS release 6.10 (Final)"), or holds nothing but its version.
struct ReleaseFile {
  const char *path, *id, *name;
  bool is_version;
};
// Derived systems before those that they come from, as they keep the files of these.
constexpr ReleaseFile release_files[] = {
    {"/etc/fedora-release", "fedora", "Fedora", false},
    {"/etc/centos-release", "centos", "CentOS", false},
    {"/etc/oracle-release", "ol", "Oracle Linux", false},
    {"/etc/redhat-release", "rhel", "Red Hat Enterprise Linux", false},
    {"/etc/SuSE-release", "suse", "SUSE Linux", false},
    {"/etc/gentoo-release", "gentoo", "Gentoo", false},
    {"/etc/slackware-version", "slackware", "Slackware", false},
    {"/etc/alpine-release", "alpine", "Alpine Linux", true},
    {"/etc/arch-release", "arch", "Arch Linux", true},
    {"/etc/debian_version", "debian", "Debian GNU/Linux", true},
};

std::optional<std::string> first_line(fs::FileSystem& files, const char* path) {
  const auto text = fs::try_read(files, path, limit);
  if (!text) return std::nullopt;
  const auto lines = base::lines(*text);
  return lines.empty() ? std::string() : base::printable(base::trim(lines.front()));
}

// The first word that begins with a digit: "6.10" of "CentOS release 6.10 (Final)".
std::string version_in(std::string_view line) {
  for (const std::string_view word : base::split(line, ' '))
    if (!word.empty() && word.front() >= '0' && word.front() <= '9') return std::string(word);
  return {};
}

std::string joined(const std::string& name, const std::string& version) {
  return version.empty() ? name : name + " " + version;
}

System named(const ReleaseFile& file, const std::string& line) {
  System system;
  system.id = file.id;
  system.name = file.name;
  system.version = file.is_version ? line : version_in(line);
  system.pretty = file.is_version || line.empty() ? joined(file.name, system.version) : line;
  return system;
}

// DISTRIB_ID=Ubuntu … of the Linux Standard Base; the syntax is that of os-release.
std::optional<System> from_lsb_release(fs::FileSystem& files) {
  const auto text = fs::try_read(files, "/etc/lsb-release", limit);
  if (!text) return std::nullopt;
  OsRelease values = parse_os_release(*text);
  if (values["DISTRIB_ID"].empty()) return std::nullopt;
  System system;
  system.name = values["DISTRIB_ID"];
  system.id = base::lower(system.name);
  system.version = values["DISTRIB_RELEASE"];
  system.pretty =
      values["DISTRIB_DESCRIPTION"].empty() ? joined(system.name, system.version) : values["DISTRIB_DESCRIPTION"];
  return system;
}

std::optional<System> from_release_file(fs::FileSystem& files) {
  for (const ReleaseFile& file : release_files)
    if (const auto line = first_line(files, file.path)) return named(file, *line);
  return std::nullopt;
}

// A root without any of these: only what greets at the login is left.
std::optional<System> from_issue(fs::FileSystem& files) {
  if (!fs::exists(files, "/sbin/init") || !fs::exists(files, "/etc/passwd")) return std::nullopt;
  std::string greeting = first_line(files, "/etc/issue").value_or("");
  greeting = greeting.substr(0, greeting.find('\\'));
  System system;
  system.id = "linux";
  system.name = "Linux";
  system.pretty = greeting.empty() ? "Linux" : std::string(base::trim(greeting));
  return system;
}

}  // namespace

std::optional<System> detect_release_files(const Root& root) {
  auto system = from_lsb_release(root.files);
  if (!system) system = from_release_file(root.files);
  if (!system) system = from_issue(root.files);
  if (system) add_linux_facts(root.files, *system);
  return system;
}

}  // namespace hrvm::probe
