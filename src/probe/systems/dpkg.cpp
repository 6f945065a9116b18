// The list of installed packages of a Debian root. It may be many MiB, so it is read a piece at a time.
#include <algorithm>

#include "hrvm/base/text.hpp"
#include "probe/systems/linux_facts.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t piece_bytes = 256 << 10;
constexpr std::uint64_t most_bytes = 64 << 20;
constexpr std::size_t longest_line = 4096;  // longer ones are descriptions and lists of files

// Reads stanzas of "Key: value" lines, parted by empty ones, until the first package is found.
class Search {
 public:
  explicit Search(std::span<const std::string_view> packages) : packages_(packages), versions_(packages.size()) {}

  // True once nothing more is to be found. `rest` keeps the last line, which may go on in the next piece.
  bool feed(std::string_view piece, std::string& rest) {
    rest += piece;
    std::size_t start = 0;
    for (auto end = rest.find('\n'); end != std::string::npos; start = end + 1, end = rest.find('\n', start))
      if (take(std::string_view(rest).substr(start, end - start))) return true;
    rest.erase(0, start);
    if (rest.size() > longest_line) rest.resize(longest_line);
    return false;
  }
  void finish(const std::string& rest) {
    if (!take(rest)) take("");
  }
  std::optional<InstalledPackage> first() const {
    for (std::size_t i = 0; i < packages_.size(); ++i)
      if (!versions_[i].empty()) return InstalledPackage{packages_[i], versions_[i]};
    return std::nullopt;
  }

 private:
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

  std::span<const std::string_view> packages_;
  std::vector<std::string> versions_;  // of each; empty: not found
  std::size_t package_ = packages_.size();
  bool installed_ = false;
  std::string version_;
};

}  // namespace

std::optional<InstalledPackage> first_installed(fs::FileSystem& root, std::span<const std::string_view> packages) {
  const auto path = fs::resolve(root, "/var/lib/dpkg/status");
  const auto info = path ? root.info(*path) : std::nullopt;
  if (!info || info->kind != fs::FileKind::regular || packages.empty()) return std::nullopt;
  Search search(packages);
  std::string rest;
  for (std::uint64_t offset = 0; offset < std::min(info->size_bytes, most_bytes);) {
    const std::string piece = root.read(*path, offset, piece_bytes);
    if (piece.empty()) break;
    if (search.feed(piece, rest)) return search.first();
    offset += piece.size();
  }
  search.finish(rest);
  return search.first();
}

}  // namespace hrvm::probe
