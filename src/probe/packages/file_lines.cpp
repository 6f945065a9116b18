#include "probe/packages/file_lines.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "hrvm/base/error.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t piece_bytes = 64 << 10;
constexpr std::size_t most_names = 1 << 18;
constexpr std::uint64_t largest_text = 64 << 20;

// Puts together what lies in several pieces.
class Lines {
 public:
  explicit Lines(const LineVisitor& visitor) : visitor_(visitor) {}

  bool take(std::string_view piece) {
    for (;;) {
      const auto end = piece.find('\n');
      if (end == std::string_view::npos) break;
      if (!finish(piece.substr(0, end))) return false;
      piece.remove_prefix(end + 1);
    }
    keep(piece);
    return true;
  }
  void end() {
    if (!begun_.empty()) finish({});
  }

 private:
  void keep(std::string_view text) { begun_ += text.substr(0, longest_kept_line - begun_.size()); }
  bool finish(std::string_view rest) {
    if (begun_.empty()) return visitor_(rest.substr(0, longest_kept_line));
    keep(rest);
    const bool goes_on = visitor_(begun_);
    begun_.clear();
    return goes_on;
  }

  const LineVisitor& visitor_;
  std::string begun_;
};

}  // namespace

void visit_lines(fs::FileSystem& files, fs::Node file, const LineVisitor& visitor) {
  std::vector<std::byte> piece(piece_bytes);
  Lines lines(visitor);
  for (std::uint64_t offset = 0;;) {
    const std::size_t length = files.read(file, offset, piece);
    if (length == 0) break;
    if (!lines.take({reinterpret_cast<const char*>(piece.data()), length})) return;
    offset += length;
    if (offset > largest_text)
      throw base::Error(base::ErrorKind::unsupported, "a list of a package manager is larger than hrvm reads");
  }
  lines.end();
}

bool visit_lines(fs::FileSystem& files, std::string_view path, const LineVisitor& visitor) {
  const auto resolved = fs::resolve(files, path);
  const auto node = resolved ? fs::find(files, *resolved) : std::nullopt;
  if (!node || files.stat(*node).kind != fs::FileKind::regular) return false;
  visit_lines(files, *node, visitor);
  return true;
}

void visit_names(fs::FileSystem& files, std::string_view folder, fs::FileKind kind, const NameVisitor& visitor) {
  const auto resolved = fs::resolve(files, folder);
  const auto node = resolved ? fs::find(files, *resolved) : std::nullopt;
  if (!node || files.stat(*node).kind != fs::FileKind::directory) return;
  std::vector<std::pair<std::string, fs::Node>> found;
  files.visit(*node, [&](const fs::DirectoryEntry& entry) {
    if (entry.kind == kind) found.emplace_back(entry.name, entry.node);
    if (found.size() > most_names)
      throw base::Error(base::ErrorKind::unsupported, "the folder holds more files than hrvm reads of one")
          .on(*resolved);
    return true;
  });
  std::ranges::sort(found);
  for (const auto& [name, each] : found) visitor(name, each);
}

}  // namespace hrvm::probe
