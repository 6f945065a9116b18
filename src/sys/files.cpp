#include "hrvm/sys/files.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <system_error>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "sys/file_status.hpp"

namespace hrvm::sys {

namespace {

// At most `capacity` bytes; fewer only at the end of the file.
std::string read_up_to(int fd, std::size_t capacity, const Path& path) {
  constexpr std::size_t first_step = 4 * base::KiB;  // more than most files of sysfs and proc hold
  std::string bytes;
  while (bytes.size() < capacity) {
    const std::size_t have = bytes.size();
    bytes.resize(std::min(have + std::max(first_step, have), capacity));
    const ssize_t got = ::read(fd, bytes.data() + have, bytes.size() - have);
    const int error = errno;
    bytes.resize(have + std::size_t(std::max<ssize_t>(got, 0)));
    if (got == 0) break;
    if (got < 0 && error != EINTR) throw base::system_error(error, "read", path);
  }
  return bytes;
}

FileType type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return FileType::regular;
    case S_IFDIR:
      return FileType::directory;
    case S_IFLNK:
      return FileType::symlink;
    case S_IFBLK:
      return FileType::block;
    case S_IFCHR:
      return FileType::character;
    default:
      return FileType::other;
  }
}

std::chrono::sys_time<std::chrono::nanoseconds> time_of(const timespec& time) {
  return std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::seconds(time.tv_sec) +
                                                         std::chrono::nanoseconds(time.tv_nsec));
}

FileStatus status_from(int result, const struct stat& st, const Path& path) {
  if (result != 0 && (errno == ENOENT || errno == ENOTDIR)) return {};
  if (result != 0) throw base::system_error(errno, "look at", path);
  return to_status(st);
}

bool may(const Path& path, int access) { return ::faccessat(AT_FDCWD, path.c_str(), access, AT_EACCESS) == 0; }

}  // namespace

std::array<timespec, 2> modified_alone(std::chrono::sys_time<std::chrono::nanoseconds> time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return {{{0, UTIME_OMIT}, {seconds.time_since_epoch().count(), (time - seconds).count()}}};
}

FileStatus to_status(const struct stat& st) {
  return {.type = type_of(st.st_mode),
          .size_bytes = std::uint64_t(st.st_size),
          .allocated_bytes = std::uint64_t(st.st_blocks) * 512,
          .mode = st.st_mode & 07777,
          .device = st.st_dev,
          .inode = st.st_ino,
          .rdev = st.st_rdev,
          .uid = st.st_uid,
          .gid = st.st_gid,
          .modified = time_of(st.st_mtim),
          .changed = time_of(st.st_ctim)};
}

std::string read_file(const Path& path, std::size_t limit) {
  // Not to hang on a FIFO that lies where a file should be.
  const Fd fd = open_file(path, O_RDONLY | O_NONBLOCK);
  std::string bytes = read_up_to(fd.get(), limit + 1, path);
  if (bytes.size() <= limit) return bytes;
  throw base::Error(base::ErrorKind::corrupt,
                    fmt::format("{} is larger than the {} that it may have", path.string(), base::format_bytes(limit)))
      .on(path);
}

std::optional<std::string> try_read_file(const Path& path, std::size_t limit) {
  try {
    return read_file(path, limit);
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

std::optional<std::string> try_read_line(const Path& path) {
  const auto text = try_read_file(path);
  if (!text) return std::nullopt;
  const std::string_view line = base::trim(base::split(*text, '\n').front());
  return line.empty() ? std::nullopt : std::optional<std::string>(line);
}

std::optional<std::uint64_t> try_read_number(const Path& path, int base) {
  const auto line = try_read_line(path);
  return line ? base::parse_unsigned(*line, base) : std::nullopt;
}

FileStatus status(const Path& path) {
  struct stat st {};
  return status_from(::stat(path.c_str(), &st), st, path);
}

FileStatus link_status(const Path& path) {
  struct stat st {};
  return status_from(::lstat(path.c_str(), &st), st, path);
}

bool is_same_file(const Path& a, const Path& b) {
  const auto one = sys::status(a), other = sys::status(b);
  return one.type != FileType::missing && other.type != FileType::missing && one.device == other.device &&
         one.inode == other.inode;
}

std::optional<Path> read_link(const Path& path) {
  std::array<char, PATH_MAX> target;
  const auto bytes = ::readlink(path.c_str(), target.data(), target.size());
  return bytes < 0 ? std::nullopt : std::optional<Path>(std::string_view(target.data(), std::size_t(bytes)));
}

Path absolute(const Path& path) {
  Path result;
  for (const Path& part : std::filesystem::absolute(path)) {
    if (part == "." || part.empty()) continue;
    // ".." behind a symbolic link leads elsewhere than to the folder that holds the link.
    const bool foldable = part == ".." && result.filename() != ".." && !read_link(result);
    if (foldable)
      result = result.parent_path();
    else
      result /= part;
  }
  return result;
}

Path canonical(const Path& path) {
  std::error_code error;
  Path result = std::filesystem::canonical(path, error);
  if (error) throw base::system_error(error.value(), "find", path);
  return result;
}

bool is_readable(const Path& path) { return may(path, R_OK); }
bool is_writable(const Path& path) { return may(path, W_OK); }
bool is_executable(const Path& path) { return may(path, X_OK); }

std::vector<std::string> list_directory(const Path& path) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(path, error);
  if (error == std::errc::no_such_file_or_directory) return names;
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    names.push_back(entry->path().filename());
  if (error) throw base::system_error(error.value(), "list", path);
  std::ranges::sort(names);
  return names;
}

}  // namespace hrvm::sys
