// NewTree: files that are made below a folder of the host, by names that may come from anywhere. No symbolic link is
// followed and no ".." taken on any way (openat2(2) with RESOLVE_BENEATH), so that nothing is made, changed or removed
// outside of it, whoever changes it meanwhile. What is there already is never replaced.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hrvm/sys/tree.hpp"

namespace hrvm::sys {

struct FileOwner {
  std::uint32_t uid = 0, gid = 0;
};

// What a file gets once all that lies in it is there.
struct FileProperties {
  std::optional<FileOwner> owner;  // null: who made it
  std::uint32_t mode = 0;          // 07777 at most
  FileTime modified;
  std::optional<std::uint64_t> size_bytes = {};  // of a regular file, where a hole follows the last of its data
  std::vector<std::pair<std::string, std::string>> attributes = {};  // extended ones, by name
};

class NewTree {
 public:
  explicit NewTree(const Path& folder);  // which is there, and may be named by a link

  // Paths are as of Tree. Error{exists} for what is there.
  void make_folder(std::string_view path);  // 0700, until it is finished
  Fd make_file(std::string_view path);      // 0600, to write to
  void make_link(std::string_view path, const std::string& target, const std::optional<FileOwner>& owner,
                 const FileTime& modified);
  void make_hard_link(std::string_view path, std::string_view existing);
  enum class Special { fifo, socket, block, character };
  void make_special(std::string_view path, Special kind, const FileProperties& properties, std::uint32_t major,
                    std::uint32_t minor);

  // What was made by this and is not to stay.
  void remove_file(std::string_view path);

  // Of a file that is open, or of a folder. Gives the names of attributes that the filesystem, or our rights, do not
  // take; what else fails is an Error.
  std::vector<std::string> finish_file(const Fd& file, std::string_view path, const FileProperties& properties) const;
  std::vector<std::string> finish_folder(std::string_view path, const FileProperties& properties) const;

 private:
  struct Place {
    Fd folder;
    std::string name;
  };
  Place place_of(std::string_view path) const;
  Path path_of(std::string_view path) const;

  Path folder_;
  Fd root_;
};

}  // namespace hrvm::sys
