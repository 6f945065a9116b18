// What differs between two states of a filesystem, file by file, as `zfs diff` tells it.
//
// A file is followed by its node: a number that another file got is `-` and `+`, one that was moved is `R`. Contents
// are compared by where they lie: what lies at one place in both, and was not written to there, is not read, all else
// is, byte by byte. So is what a reader tells of a file where its record did not change (StorageMap); blocks that were
// written to and belong to no file that changed lead to a second walk, which looks at every file.
//
// Names and trees are hostile: a folder that is met a second time is Error{corrupt}, more than the bounds below is
// Error{unsupported}. Memory: the folders that are ahead, the changes, 16 bytes for each range that differs.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs {

inline constexpr std::size_t most_tree_changes = 1u << 20;
inline constexpr std::size_t most_changed_folder_bytes = 256u << 20;  // names of one folder whose entries may differ
inline constexpr std::size_t longest_compared_path = 64u << 10;

enum class TreeChangeKind : char { removed = '-', added = '+', modified = 'M', renamed = 'R' };

// Of what is modified or renamed: in what it differs.
struct Differs {
  bool content = false, mode = false, owner = false, attributes = false, times = false, links = false, target = false;

  // Not only in what every write changes along, or another name does.
  bool is_plain() const { return content || mode || owner || attributes || target; }
  bool any() const { return is_plain() || times || links; }
  friend bool operator==(const Differs&, const Differs&) = default;
};

struct TreeChange {
  TreeChangeKind kind = TreeChangeKind::added;
  FileKind type = FileKind::other;
  bool is_subvolume = false;                    // all that lies in it came or went with it, and is not told
  std::string path;                             // "/etc/fstab"; of what was removed in `from`, else in `to`
  std::string from;                             // of what was renamed: the path that it had
  std::optional<std::uint64_t> size_bytes;      // of a regular file in `to`, of one that was removed as it was
  std::optional<std::uint64_t> old_size_bytes;  // of a regular file that is in both
  Differs differs;
  std::string problem = {};  // why it cannot be told more exactly
  friend bool operator==(const TreeChange&, const TreeChange&) = default;
};

struct TreeDiffOptions {
  // They are states of one filesystem. Else files are the same where they have the same path and kind.
  bool is_same_filesystem = true;
  // Where to say how far it has come: bytes of the devices, then files.
  std::function<void(std::uint64_t)> compared_bytes = [](std::uint64_t) {};
  std::function<void(std::uint64_t)> compared_files = [](std::uint64_t) {};
};

// Sorted by path, what is gone before what came in its place. A file that differs in nothing but its times or its count
// of names is told, with that alone in `differs`; that it was read is no change. A folder differs in its own mode,
// owner and attributes, and in its times where it has the same entries.
std::vector<TreeChange> compare_trees(FileSystem& from, FileSystem& to, const TreeDiffOptions& options = {});

// There and back through the pipe of a confined child. Error{corrupt} for what is no such text.
std::string to_text(const TreeChange& change);
TreeChange tree_change_from_text(std::string_view text);

}  // namespace hrvm::fs
