// The list of installed packages of a Debian root. It may be many MiB, so it is read a piece at a time.
#include "hrvm/base/text.hpp"
#include "probe/systems/linux_facts.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t piece_bytes = 256 << 10;
constexpr std::uint64_t most_bytes = 64 << 20;
constexpr std::size_t longest_line = 4096;  // longer ones are descriptions and lists of files

// Reads stanzas of "Key: value" lines, parted by empty ones, until the package is found.
class Search {
 public:
  explicit Search(std::string_view package) : package_(package) {}

  // True once the package was found. `rest` keeps the last line, which may go on in the next piece.
  bool feed(std::string_view piece, std::string& rest) {
    rest += piece;
    std::size_t start = 0;
    for (auto end = rest.find('\n'); end != std::string::npos; start = end + 1, end = rest.find('\n', start))
      if (take(std::string_view(rest).substr(start, end - start))) return true;
    rest.erase(0, start);
    if (rest.size() > longest_line) rest.resize(longest_line);
    return false;
  }
  bool finish(const std::string& rest) { return take(rest) || take(""); }
  std::string version() const { return version_; }

 private:
  bool take(std::string_view line) {
    if (line.empty()) {
      const bool found = matches_ && installed_ && !version_.empty();
      if (!found) matches_ = installed_ = false, version_.clear();
      return found;
    }
    if (line.starts_with("Package: ")) matches_ = line.substr(9) == package_;
    if (line.starts_with("Status: ")) installed_ = line.ends_with(" installed");
    if (matches_ && line.starts_with("Version: ")) version_ = line.substr(9);
    return false;
  }

  std::string_view package_;
  bool matches_ = false, installed_ = false;
  std::string version_;
};

}  // namespace

std::optional<std::string> dpkg_version(fs::FileSystem& root, std::string_view package) {
  const auto path = fs::resolve(root, "/var/lib/dpkg/status");
  const auto info = path ? root.info(*path) : std::nullopt;
  if (!info || info->kind != fs::FileKind::regular) return std::nullopt;
  Search search(package);
  std::string rest;
  for (std::uint64_t offset = 0; offset < std::min(info->size_bytes, most_bytes);) {
    const std::string piece = root.read(*path, offset, piece_bytes);
    if (piece.empty()) break;
    if (search.feed(piece, rest)) return search.version();
    offset += piece.size();
  }
  return search.finish(rest) ? std::optional(search.version()) : std::nullopt;
}

}  // namespace hrvm::probe
