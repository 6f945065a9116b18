// Tree: a folder of the host with what lies below it, reached by descriptors. No symbolic link is followed on any way
// and no ".." taken, so that no name leads out of it, whoever changes it meanwhile; only folders and regular files are
// opened, and their access times stay as they are where that is allowed.
//
// Paths are names joined by slashes, with or without one before; "" and "/" are the folder itself. A Tree is for one
// thread: it keeps the folder open in which it looked last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/sys/fd.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::sys {

// Since 1970, UTC: of any year that a filesystem can hold.
struct FileTime {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
};

// All that the kernel knows of a file, which costs more than status().
struct FullStatus {
  FileStatus status;
  bool is_fifo = false, is_socket = false;           // of FileType::other
  std::uint32_t device_major = 0, device_minor = 0;  // of device nodes
  std::uint64_t links = 1;
  FileTime modified, changed, accessed;
  std::optional<FileTime> created;  // nullopt where the filesystem keeps none
};

// Bytes of a regular file that are all stored, or all not.
struct Stretch {
  std::uint64_t length = 0;  // never 0
  bool is_hole = false;
};

class Tree {
 public:
  explicit Tree(const Path& folder);  // which may be named by a link

  const Path& folder() const { return folder_; }
  Path path_of(std::string_view path) const;  // on the host

  // FileType::missing where it is not there, or what should hold it is no folder.
  FileStatus status(std::string_view path) const;
  FullStatus full_status(std::string_view path) const;
  // Sorted, at most `most`. Error{not_found} for what is no folder.
  std::vector<std::string> list(std::string_view path, std::size_t most) const;
  // In the order of the kernel, until the visitor returns false; a name is valid until then.
  void visit(std::string_view path, const std::function<bool(std::string_view name)>& visitor) const;
  // Bytes of a regular file, fewer at its end. Error{not_found} for whatever else it is.
  std::string read(std::string_view path, std::uint64_t offset, std::size_t length) const;
  std::size_t read(std::string_view path, std::uint64_t offset, std::span<std::byte> out) const;  // how many
  // What starts at `offset` of a regular file; nullopt from its end on.
  std::optional<Stretch> stretch_at(std::string_view path, std::uint64_t offset) const;
  std::string read_link(std::string_view path) const;
  // Extended attributes; those of what is no folder or regular file only where /proc is mounted.
  std::optional<std::string> attribute(std::string_view path, const std::string& name) const;
  std::vector<std::string> attribute_names(std::string_view path) const;  // sorted
  // The file's handle, valid while the file exists; nullopt where its filesystem has none.
  std::optional<std::string> handle(std::string_view path) const;

 private:
  struct Place {
    int folder = -1;   // -1: it is not there
    std::string name;  // empty: the folder itself
  };
  Place place_of(std::string_view path) const;
  int enter(std::string_view folder) const;
  Fd open(std::string_view path, int flags) const;
  Fd open_regular(std::string_view path) const;
  Fd open_for_attributes(std::string_view path) const;
  std::optional<std::string> link_of(std::string_view path) const;

  Path folder_;
  Fd root_;
  mutable std::string at_;
  mutable Fd here_;
};

}  // namespace hrvm::sys
