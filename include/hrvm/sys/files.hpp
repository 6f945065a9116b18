// Files and folders: small reads with a bound, and writes that are either wholly there or not at all.
//
// Call them with `sys::` before the name, inside the namespace too: a Path argument brings std::filesystem's functions
// of the same names along.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/time.hpp"
#include "hrvm/sys/fd.hpp"

namespace hrvm::sys {

using Path = std::filesystem::path;

// The whole file, at most `limit` bytes (more is an Error{corrupt}).
std::string read_file(const Path& path, std::size_t limit = 1 << 20);
// The same, nullopt for whatever reason it cannot be read: for /sys and /proc, where absence is an answer.
std::optional<std::string> try_read_file(const Path& path, std::size_t limit = 1 << 20);
// First line, trimmed: for sysfs attributes. nullopt when absent or empty.
std::optional<std::string> try_read_line(const Path& path);
std::optional<std::uint64_t> try_read_number(const Path& path, int base = 10);

enum class FileType { missing, regular, directory, symlink, block, character, other };
struct FileStatus {
  FileType type = FileType::missing;
  std::uint64_t size_bytes = 0;
  std::uint64_t allocated_bytes = 0;  // st_blocks * 512
  unsigned mode = 0;                  // permission bits
  std::uint64_t device = 0;           // st_dev
  std::uint64_t inode = 0;
  std::uint64_t rdev = 0;  // st_rdev, of device nodes
  uid_t uid = 0;
  gid_t gid = 0;
  std::chrono::sys_time<std::chrono::nanoseconds> modified{};
  std::chrono::sys_time<std::chrono::nanoseconds> changed{};  // st_ctime: nobody can set it back
};
FileStatus status(const Path& path);       // follows links; a missing file is FileType::missing, not an Error
FileStatus link_status(const Path& path);  // does not follow
// By device and inode, links followed; false when one of them is missing.
bool is_same_file(const Path& a, const Path& b);
std::optional<Path> read_link(const Path& path);
Path absolute(const Path& path);     // lexically, against the working directory; links are kept
Path canonical(const Path& path);    // links resolved; Error{not_found} when it is not there
bool is_readable(const Path& path);  // access(2), effective ids
bool is_writable(const Path& path);
bool is_executable(const Path& path);

// Names in a folder without "." and "..", sorted. A missing folder has none.
std::vector<std::string> list_directory(const Path& path);

// Makes folders as needed, each new one with `mode`, and makes the new entries durable; or leaves that to a caller who
// makes more entries first, as each such wait is one for the disk.
enum class Durability { now, later };
void make_directories(const Path& path, unsigned mode = 0700, Durability durability = Durability::now);
// As above with 0700, for what nobody else may put another thing in the place of: Error{permission} where a folder on
// the way belongs to neither this user nor root.
void make_private_directories(const Path& path);
// A folder, and no link to one, of this user (effective).
bool is_own_folder(const Path& path);
// fsync of a folder, so that entries made, renamed or removed in it are durable.
void sync_directory(const Path& path);
// Renames and makes it durable. With no_replace an existing target is Error{exists}.
void rename_durably(const Path& from, const Path& to, bool no_replace = false);
// Makes or switches the symbolic link `link` to `target` by one rename, durably: the commit point of a change.
void switch_link(const Path& link, const Path& target);
// Removes a file, or a folder with all in it, without following links. What is not there counts as removed.
void remove_all(const Path& path);

// A file written beside its final name. Without commit() nothing is left behind: where the filesystem has files without
// a name (O_TMPFILE) also not by a kill -9, else by that a hidden file that ends in ".tmp".
class AtomicFile {
 public:
  explicit AtomicFile(Path final_path, unsigned mode = 0600);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  int fd() const { return fd_.get(); }
  void write(std::string_view bytes);  // appends
  // fsync, rename over the final name (or Error{exists} with no_replace), fsync of the folder.
  void commit(bool no_replace = false);

 private:
  void give_name(const Path& path) const;
  Path final_, temporary_;  // empty while it has no name
  Fd fd_;
  bool committed_ = false;
};

// pwrite(2) until all is written; Error{io} that names the file and offset.
void write_fully(int fd, std::span<const std::byte> bytes, std::uint64_t offset, const Path& path);
void sync_file(int fd, const Path& path);  // fdatasync(2)

}  // namespace hrvm::sys
