#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/files.hpp"
#include "sys/temporary_name.hpp"

namespace hrvm::sys {

namespace {

constexpr int most_removals = 16;

void rename_over(const Path& from, const Path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw base::system_error(errno, "rename to", to);
}

void rename_to_free_name(const Path& from, const Path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return;
  const bool supported = errno != EINVAL && errno != ENOSYS;
  if (supported) throw base::system_error(errno, "rename to", to);
  // NFS and some FUSE filesystems cannot do both in one step.
  if (link_status(to).type != FileType::missing) throw base::system_error(EEXIST, "rename to", to);
  rename_over(from, to);
}

}  // namespace

void make_directories(const Path& path, unsigned mode, Durability durability) {
  const FileType type = sys::status(path).type;
  if (type == FileType::directory) return;
  if (type != FileType::missing) {
    throw base::Error(base::ErrorKind::exists, fmt::format("{} is there and is not a folder", path.string())).on(path);
  }
  const Path parent = folder_of(path);
  make_directories(parent, mode, durability);
  const bool made = ::mkdir(path.c_str(), mode) == 0;
  if (made && durability == Durability::now)
    sync_directory(parent);
  else if (!made && (errno != EEXIST || sys::status(path).type != FileType::directory))
    throw base::system_error(errno, "make the folder", path);
}

void make_private_directories(const Path& path) {
  make_directories(path, 0700);
  for (Path folder = path; folder.has_relative_path(); folder = folder.parent_path()) {
    const auto owner = link_status(folder).uid;
    if (owner != 0 && owner != ::geteuid())
      throw base::Error(base::ErrorKind::permission,
                        fmt::format("{} belongs to another user, who could listen in", folder.string()))
          .on(folder)
          .hint("name a folder of your own in XDG_RUNTIME_DIR");
  }
}

bool is_own_folder(const Path& path) {
  try {
    const auto status = link_status(path);
    return status.type == FileType::directory && status.uid == ::geteuid();
  } catch (const base::Error&) {
    return false;  // we may not even look
  }
}

void sync_directory(const Path& path) {
  const Fd fd = open_file(path, O_RDONLY | O_DIRECTORY);
  // EINVAL: a filesystem that has nothing to make durable.
  if (::fsync(fd.get()) != 0 && errno != EINVAL) throw base::system_error(errno, "write back the folder", path);
}

void rename_durably(const Path& from, const Path& to, bool no_replace) {
  if (no_replace)
    rename_to_free_name(from, to);
  else
    rename_over(from, to);
  sync_directory(folder_of(to));
  if (folder_of(from) != folder_of(to)) sync_directory(folder_of(from));
}

void switch_link(const Path& link, const Path& target) {
  const Path temporary = temporary_beside(link);
  if (::symlink(target.c_str(), temporary.c_str()) != 0) throw base::system_error(errno, "make the link", temporary);
  try {
    rename_over(temporary, link);
  } catch (const base::Error&) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_directory(folder_of(link));
}

void remove_all(const Path& path) {
  std::error_code error;
  // Others may remove what is in it meanwhile, or put more there.
  for (int turn = 0; turn < most_removals; ++turn) {
    std::filesystem::remove_all(path, error);
    if (error.value() != ENOENT && error.value() != ENOTEMPTY) break;
  }
  if (error) throw base::system_error(error.value(), "remove", path);
}

}  // namespace hrvm::sys
