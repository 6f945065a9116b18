// What differs between two stacks of folders, each as overlayfs shows it (fs/folder.hpp): file by file, and only where
// one of them has a folder that the other has not, so that what they share costs nothing.
//
// An upper folder is written by a guest: names are any bytes, and links are never followed. Error{unsupported} for what
// goes deeper or is more than the bounds below.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/sys/files.hpp"

namespace hrvm::fs {

inline constexpr unsigned deepest_folder = 512;
inline constexpr std::size_t most_entries_of_folder = 1 << 20, most_changes = 1 << 20;

enum class ChangeKind : char { removed = '-', added = '+', modified = 'M', renamed = 'R' };

struct FileChange {
  ChangeKind kind = ChangeKind::added;
  sys::FileType type = sys::FileType::other;
  std::string path;
  std::string from;                         // of a renamed file: the path that it had; else empty
  std::optional<std::uint64_t> size_bytes;  // of a regular file, where it is removed as it was
  friend bool operator==(const FileChange&, const FileChange&) = default;
};

using Folders = std::vector<std::filesystem::path>;  // the topmost first

// The folders are opened when it is made, so that a confined child can compare them.
class FolderComparison {
 public:
  FolderComparison(const Folders& from, const Folders& to);
  ~FolderComparison();

  // Sorted by their names, a folder before what lies in it, what is gone before what came in its place. A folder is
  // modified when its owner, mode or attributes changed, a file when its bytes did, too; times alone change nothing. A
  // regular file counts as renamed where the overlay says which file it was copied from, and that one is gone. `done`:
  // bytes compared so far. Once only.
  std::vector<FileChange> changes(const std::function<void(std::uint64_t)>& done);

 private:
  class Walk;
  std::unique_ptr<Walk> walk_;
};

// There and back through the pipe of a confined child. Error{corrupt} for what is no such text.
std::string to_text(const std::vector<FileChange>& changes);
std::vector<FileChange> changes_from_text(std::string_view text);

}  // namespace hrvm::fs
