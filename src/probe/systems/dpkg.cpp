// The list of installed packages of a Debian root.
#include <algorithm>

#include "hrvm/base/error.hpp"
#include "probe/packages/file_lines.hpp"
#include "probe/systems/linux_facts.hpp"

namespace hrvm::probe {
namespace {

// Reads stanzas of "Key: value" lines, parted by empty ones, until the first package is found.
class Search {
 public:
  explicit Search(std::span<const std::string_view> packages) : packages_(packages), versions_(packages.size()) {}

  // A line. True once nothing more is to be found.
  bool take(std::string_view line) {
    if (line.empty()) {
      if (package_ < packages_.size() && installed_) versions_[package_] = version_;
      package_ = packages_.size();
      installed_ = false;
      version_.clear();
      return !versions_[0].empty();
    }
    if (line.starts_with("Package: "))
      package_ = std::size_t(std::ranges::find(packages_, line.substr(9)) - packages_.begin());
    if (line.starts_with("Status: ")) installed_ = line.ends_with(" installed");
    if (package_ < packages_.size() && line.starts_with("Version: ")) version_ = line.substr(9);
    return false;
  }
  std::optional<InstalledPackage> first() const {
    for (std::size_t i = 0; i < packages_.size(); ++i)
      if (!versions_[i].empty()) return InstalledPackage{packages_[i], versions_[i]};
    return std::nullopt;
  }

 private:
  std::span<const std::string_view> packages_;
  std::vector<std::string> versions_;  // of each; empty: not found
  std::size_t package_ = packages_.size();
  bool installed_ = false;
  std::string version_;
};

}  // namespace

std::optional<InstalledPackage> first_installed(fs::FileSystem& root, std::span<const std::string_view> packages) {
  if (packages.empty()) return std::nullopt;
  Search search(packages);
  try {
    if (!visit_lines(root, "/var/lib/dpkg/status", [&](std::string_view line) { return !search.take(line); }))
      return std::nullopt;
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::unsupported) throw;  // of one that is too long: what was read of it
  }
  search.take("");  // for the last stanza
  return search.first();
}

}  // namespace hrvm::probe
