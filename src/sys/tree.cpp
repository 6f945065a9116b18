#include "hrvm/sys/tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <new>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "sys/below.hpp"
#include "sys/file_status.hpp"

namespace hrvm::sys {

namespace {

constexpr int on_the_way = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr int for_reading = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
constexpr std::size_t largest_attribute = 64 << 10;  // Linux's own bound, of a value and of the list of names
constexpr std::size_t usual_attribute = 256;

bool means_missing(int error) { return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG; }

// Whose file it is not may not leave its access time alone.
Fd open_at(int folder, const char* name, int flags) {
  Fd fd(::openat(folder, name, flags | O_NOATIME));
  return fd || errno != EPERM ? std::move(fd) : Fd(::openat(folder, name, flags));
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

FileTime time_of(const struct statx_timestamp& time) { return {time.tv_sec, time.tv_nsec}; }

// What a call of the kind of getxattr(2) puts into its room; nullopt where it fails. Most is short, and room for the
// longest takes longer to make than the call.
template <typename Call>
std::optional<std::string> told_by(const Call& call) {
  std::string told(usual_attribute, '\0');
  ssize_t length = call(told);
  if (length < 0 && errno == ERANGE) {
    told.resize(largest_attribute);
    length = call(told);
  }
  if (length < 0) return std::nullopt;
  told.resize(std::size_t(length));
  return told;
}

base::Error no_such(const Path& path, std::string_view kind) {
  return base::Error(base::ErrorKind::not_found, path.string() + " is no " + std::string(kind)).on(path);
}

}  // namespace

Tree::Tree(const Path& folder) : folder_(folder), root_(open_file(folder, O_PATH | O_DIRECTORY)) {}

Path Tree::path_of(std::string_view path) const { return folder_ / without_slashes(path); }

int Tree::enter(std::string_view folder) const {
  if (folder.empty()) return root_.get();
  if (folder == at_) return here_.get();
  const bool is_below = here_ && folder.starts_with(at_) && folder[at_.size()] == '/';
  const auto left = is_below ? folder.substr(at_.size() + 1) : folder;
  Fd reached;
  int from = is_below ? here_.get() : root_.get();
  for (const std::string_view name : base::split(left, '/')) {
    Fd next(is_name_below(name) ? ::openat(from, std::string(name).c_str(), on_the_way) : -1);
    if (!is_name_below(name)) errno = ENOENT;
    if (!next) return -1;
    reached = std::move(next);
    from = reached.get();
  }
  at_ = folder;
  here_ = std::move(reached);
  return here_.get();
}

Tree::Place Tree::place_of(std::string_view path) const {
  const auto whole = without_slashes(path);
  if (whole.empty()) return {root_.get(), ""};
  const auto slash = whole.rfind('/');
  const auto name = slash == whole.npos ? whole : whole.substr(slash + 1);
  if (!is_name_below(name)) return {};
  const int folder = enter(slash == whole.npos ? std::string_view() : without_slashes(whole.substr(0, slash)));
  if (folder < 0 && !means_missing(errno)) throw base::system_error(errno, "look at", path_of(path));
  return {folder, std::string(name)};
}

FileStatus Tree::status(std::string_view path) const {
  const auto place = place_of(path);
  struct stat st {};
  if (place.folder < 0) return {};
  if (::fstatat(place.folder, place.name.c_str(), &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0) return to_status(st);
  if (means_missing(errno)) return {};
  throw base::system_error(errno, "look at", path_of(path));
}

FullStatus Tree::full_status(std::string_view path) const {
  FullStatus full{.status = status(path)};
  const auto place = place_of(path);
  struct statx more {};
  constexpr int flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
  constexpr unsigned wanted = STATX_BASIC_STATS | STATX_BTIME;
  if (place.folder < 0 || full.status.type == FileType::missing) return full;
  if (::statx(place.folder, place.name.c_str(), flags, wanted, &more) != 0)
    throw base::system_error(errno, "look at", path_of(path));
  full.is_fifo = S_ISFIFO(more.stx_mode);
  full.is_socket = S_ISSOCK(more.stx_mode);
  full.device_major = more.stx_rdev_major;
  full.device_minor = more.stx_rdev_minor;
  full.links = more.stx_nlink;
  full.modified = time_of(more.stx_mtime);
  full.changed = time_of(more.stx_ctime);
  full.accessed = time_of(more.stx_atime);
  if (more.stx_mask & STATX_BTIME) full.created = time_of(more.stx_btime);
  return full;
}

Fd Tree::open(std::string_view path, int flags) const {
  const auto place = place_of(path);
  if (place.folder < 0) throw no_such(path_of(path), "file that is there");
  Fd fd = open_at(place.folder, place.name.empty() ? "." : place.name.c_str(), flags);
  if (!fd) throw base::system_error(errno, "open", path_of(path));
  return fd;
}

std::vector<std::string> Tree::list(std::string_view path, std::size_t most) const {
  std::vector<std::string> names;
  visit(path, [&](std::string_view name) {
    if (names.size() < most) names.emplace_back(name);
    return names.size() < most;
  });
  std::ranges::sort(names);
  return names;
}

void Tree::visit(std::string_view path, const std::function<bool(std::string_view name)>& visitor) const {
  if (status(path).type != FileType::directory) throw no_such(path_of(path), "folder");
  Fd fd = open(path, for_reading | O_DIRECTORY);
  const std::unique_ptr<DIR, CloseFolder> folder(::fdopendir(fd.get()));
  if (!folder) throw base::system_error(errno, "list", path_of(path));
  fd.release();
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(folder.get());
    if (!entry) break;
    if (is_name_below(entry->d_name) && !visitor(entry->d_name)) return;
  }
  if (errno != 0) throw base::system_error(errno, "list", path_of(path));
}

Fd Tree::open_regular(std::string_view path) const {
  // Looked at before: to open a device can do something by itself.
  if (status(path).type != FileType::regular) throw no_such(path_of(path), "regular file");
  Fd fd = open(path, for_reading);
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0 || !S_ISREG(st.st_mode)) throw no_such(path_of(path), "regular file");
  return fd;
}

std::string Tree::read(std::string_view path, std::uint64_t offset, std::size_t length) const {
  const auto end = status(path).size_bytes;
  std::string bytes(offset < end ? std::size_t(std::min<std::uint64_t>(length, end - offset)) : 0, '\0');
  bytes.resize(read(path, offset, std::as_writable_bytes(std::span(bytes))));
  return bytes;
}

std::size_t Tree::read(std::string_view path, std::uint64_t offset, std::span<std::byte> out) const {
  const Fd fd = open_regular(path);
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(fd.get(), out.data() + done, out.size() - done, off_t(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw base::system_error(errno, "read", path_of(path));
    if (got == 0) break;
    done += std::size_t(got);
  }
  return done;
}

std::optional<Stretch> Tree::stretch_at(std::string_view path, std::uint64_t offset) const {
  const Fd fd = open_regular(path);
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) throw base::system_error(errno, "look at", path_of(path));
  const auto end = std::uint64_t(st.st_size);
  if (offset >= end) return std::nullopt;
  const auto at = off_t(offset);
  const off_t data = ::lseek(fd.get(), at, SEEK_DATA);
  if (data < 0 && errno == ENXIO) return Stretch{end - offset, true};
  if (data > at) return Stretch{std::uint64_t(data) - offset, true};
  const off_t hole = data == at ? ::lseek(fd.get(), at, SEEK_HOLE) : -1;
  return Stretch{hole > at ? std::uint64_t(hole) - offset : end - offset, false};
}

std::string Tree::read_link(std::string_view path) const {
  const auto place = place_of(path);
  std::array<char, 4096> target;  // PATH_MAX: no link is longer
  const ssize_t length =
      place.folder < 0 ? -1 : ::readlinkat(place.folder, place.name.c_str(), target.data(), target.size());
  if (length < 0) throw no_such(path_of(path), "symbolic link");
  return std::string(target.data(), std::size_t(length));
}

std::optional<std::string> Tree::handle(std::string_view path) const {
  // What it is known by follows the structure.
  alignas(file_handle) std::array<char, sizeof(file_handle) + MAX_HANDLE_SZ> room{};
  auto* found = new (room.data()) file_handle{};
  found->handle_bytes = MAX_HANDLE_SZ;
  const auto place = place_of(path);
  int mount = 0;
  if (place.folder < 0 || ::name_to_handle_at(place.folder, place.name.c_str(), found, &mount, 0) != 0) return {};
  return char(found->handle_type) + std::string(room.data() + sizeof(file_handle), found->handle_bytes);
}

Fd Tree::open_for_attributes(std::string_view path) const {
  const auto type = status(path).type;
  return type == FileType::directory || type == FileType::regular ? open(path, for_reading) : Fd();
}

// What cannot be opened is named by the folder that holds it, which is open.
std::optional<std::string> Tree::link_of(std::string_view path) const {
  const auto place = place_of(path);
  if (place.folder < 0 || place.name.empty()) return std::nullopt;
  return fmt::format("/proc/self/fd/{}/{}", place.folder, place.name);
}

std::optional<std::string> Tree::attribute(std::string_view path, const std::string& name) const {
  const Fd fd = open_for_attributes(path);
  const auto link = fd ? std::nullopt : link_of(path);
  if (!fd && !link) return std::nullopt;
  return told_by([&](std::string& value) {
    return fd ? ::fgetxattr(fd.get(), name.c_str(), value.data(), value.size())
              : ::lgetxattr(link->c_str(), name.c_str(), value.data(), value.size());
  });
}

std::vector<std::string> Tree::attribute_names(std::string_view path) const {
  const Fd fd = open_for_attributes(path);
  const auto link = fd ? std::nullopt : link_of(path);
  std::vector<std::string> names;
  if (!fd && !link) return names;
  const auto all = told_by([&](std::string& room) {
    return fd ? ::flistxattr(fd.get(), room.data(), room.size())
              : ::llistxattr(link->c_str(), room.data(), room.size());
  });
  for (std::size_t at = 0; all && at < all->size(); at += names.back().size() + 1)
    names.emplace_back(all->c_str() + at);
  std::ranges::sort(names);
  return names;
}

}  // namespace hrvm::sys
