#include "hrvm/sys/new_tree.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "sys/below.hpp"

namespace hrvm::sys {
namespace {

using base::Error;
using base::ErrorKind;

// musl and glibc 2.36 have no function for it.
Fd open_beneath(int root, const std::string& path, int flags) {
  open_how how{};
  how.flags = std::uint64_t(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return Fd(int(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how)));
}

Error cannot(std::string_view doing, const Path& path) {
  const bool is_there = errno == EEXIST;
  auto error = base::system_error(errno, doing, path.string());
  return is_there ? std::move(error).hint("nothing is replaced: move it away first, or choose another place") : error;
}

void check(int result, std::string_view doing, const Path& path) {
  if (result != 0) throw cannot(doing, path);
}

std::array<timespec, 2> times_of(const FileTime& modified) {
  const timespec time{modified.seconds, long(modified.nanoseconds)};
  return {time, time};
}

// A file may have an owner that this host does not let us give.
void set_properties(int fd, const FileProperties& properties, const Path& path, std::vector<std::string>& refused) {
  if (properties.size_bytes) check(::ftruncate(fd, off_t(*properties.size_bytes)), "set the size of", path);
  if (properties.owner) check(::fchown(fd, properties.owner->uid, properties.owner->gid), "give an owner to", path);
  check(::fchmod(fd, properties.mode), "set the mode of", path);
  for (const auto& [name, value] : properties.attributes)
    if (::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0) != 0) refused.push_back(name);
  const auto times = times_of(properties.modified);
  check(::futimens(fd, times.data()), "set the times of", path);
}

struct SpecialMode {
  NewTree::Special kind;
  mode_t mode;
};
constexpr std::array special_modes{
    SpecialMode{NewTree::Special::fifo, S_IFIFO}, SpecialMode{NewTree::Special::socket, S_IFSOCK},
    SpecialMode{NewTree::Special::block, S_IFBLK}, SpecialMode{NewTree::Special::character, S_IFCHR}};

mode_t mode_of(NewTree::Special kind) {
  for (const auto& each : special_modes)
    if (each.kind == kind) return each.mode;
  return S_IFIFO;
}

}  // namespace

NewTree::NewTree(const Path& folder) : folder_(folder), root_(open_file(folder, O_PATH | O_DIRECTORY)) {}

Path NewTree::path_of(std::string_view path) const { return folder_ / without_slashes(path); }

NewTree::Place NewTree::place_of(std::string_view path) const {
  const auto whole = without_slashes(path);
  const auto slash = whole.rfind('/');
  const std::string folder(slash == whole.npos ? "." : whole.substr(0, slash));
  std::string name(slash == whole.npos ? whole : whole.substr(slash + 1));
  if (!is_name_below(name))
    throw Error(ErrorKind::usage, fmt::format("{} is no name for a new file", path_of(path).string()));
  Fd opened = open_beneath(root_.get(), folder, O_PATH | O_DIRECTORY | O_NOFOLLOW);
  if (!opened) throw base::system_error(errno, "enter", path_of(path).parent_path().string());
  return {std::move(opened), std::move(name)};
}

void NewTree::make_folder(std::string_view path) {
  const auto place = place_of(path);
  check(::mkdirat(place.folder.get(), place.name.c_str(), 0700), "make the folder", path_of(path));
}

Fd NewTree::make_file(std::string_view path) {
  const auto place = place_of(path);
  Fd fd(::openat(place.folder.get(), place.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) throw cannot("make", path_of(path));
  return fd;
}

void NewTree::make_link(std::string_view path, const std::string& target, const std::optional<FileOwner>& owner,
                        const FileTime& modified) {
  const auto place = place_of(path);
  const int folder = place.folder.get();
  const char* name = place.name.c_str();
  check(::symlinkat(target.c_str(), folder, name), "make the link", path_of(path));
  if (owner)
    check(::fchownat(folder, name, owner->uid, owner->gid, AT_SYMLINK_NOFOLLOW), "give an owner to", path_of(path));
  const auto times = times_of(modified);
  check(::utimensat(folder, name, times.data(), AT_SYMLINK_NOFOLLOW), "set the times of", path_of(path));
}

void NewTree::make_hard_link(std::string_view path, std::string_view existing) {
  const auto from = place_of(existing), to = place_of(path);
  check(::linkat(from.folder.get(), from.name.c_str(), to.folder.get(), to.name.c_str(), 0), "link", path_of(path));
}

void NewTree::make_special(std::string_view path, Special kind, const FileProperties& properties, std::uint32_t major,
                           std::uint32_t minor) {
  const auto place = place_of(path);
  const int folder = place.folder.get();
  const char* name = place.name.c_str();
  check(::mknodat(folder, name, mode_of(kind) | (properties.mode & 0777), makedev(major, minor)), "make",
        path_of(path));
  if (properties.owner)
    check(::fchownat(folder, name, properties.owner->uid, properties.owner->gid, AT_SYMLINK_NOFOLLOW),
          "give an owner to", path_of(path));
  check(::fchmodat(folder, name, properties.mode & 07777, AT_SYMLINK_NOFOLLOW), "set the mode of", path_of(path));
  const auto times = times_of(properties.modified);
  check(::utimensat(folder, name, times.data(), AT_SYMLINK_NOFOLLOW), "set the times of", path_of(path));
}

void NewTree::remove_file(std::string_view path) {
  const auto place = place_of(path);
  check(::unlinkat(place.folder.get(), place.name.c_str(), 0), "remove", path_of(path));
}

std::vector<std::string> NewTree::finish_file(const Fd& file, std::string_view path,
                                              const FileProperties& properties) const {
  std::vector<std::string> refused;
  set_properties(file.get(), properties, path_of(path), refused);
  return refused;
}

std::vector<std::string> NewTree::finish_folder(std::string_view path, const FileProperties& properties) const {
  const auto place = place_of(path);
  const Fd folder(::openat(place.folder.get(), place.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) throw base::system_error(errno, "open", path_of(path).string());
  return finish_file(folder, path, properties);
}

}  // namespace hrvm::sys
