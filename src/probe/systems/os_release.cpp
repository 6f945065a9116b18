// Any system with an os-release(5): all of today's Linux distributions.
#include <algorithm>

#include "hrvm/base/text.hpp"
#include "probe/systems/linux_facts.hpp"
#include "probe/systems/systems.hpp"

namespace hrvm::probe {
namespace {

// The shell's quoting, as far as os-release(5) allows it.
std::string unquote(std::string_view text) {
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
  if (quoted) text = text.substr(1, text.size() - 2);
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    plain += text[i];
  }
  return plain;
}

std::string value(const OsRelease& release, const std::string& key, std::string otherwise) {
  const auto found = release.find(key);
  return found == release.end() || found->second.empty() ? otherwise : found->second;
}

}  // namespace

OsRelease parse_os_release(std::string_view text) {
  OsRelease release;
  for (std::string_view line : base::lines(text)) {
    line = base::trim(line);
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == std::string_view::npos) continue;
    release.insert_or_assign(std::string(line.substr(0, equals)), unquote(line.substr(equals + 1)));
  }
  return release;
}

std::optional<OsRelease> read_os_release(fs::FileSystem& root) {
  constexpr std::size_t limit = 64 << 10;
  for (const char* path : {"/etc/os-release", "/usr/lib/os-release"})
    if (const auto text = fs::try_read(root, path, limit)) return parse_os_release(*text);
  return std::nullopt;
}

std::optional<System> detect_os_release(const Root& root) {
  const auto release = read_os_release(root.files);
  if (!release) return std::nullopt;
  System system;
  system.id = base::lower(value(*release, "ID", "linux"));
  system.name = value(*release, "NAME", "Linux");
  system.version = value(*release, "VERSION_ID", "");
  system.pretty = value(*release, "PRETTY_NAME", system.name);
  add_linux_facts(root.files, system);
  return system;
}

}  // namespace hrvm::probe
