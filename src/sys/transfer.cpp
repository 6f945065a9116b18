#include "hrvm/sys/transfer.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "hrvm/base/error.hpp"
#include "sys/file_status.hpp"

namespace hrvm::sys {

bool try_rename_to_free_name(const Path& from, const Path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno == EXDEV || errno == EINVAL || errno == ENOSYS) return false;  // the latter: as on NFS
    throw base::system_error(errno, "rename to", to);
  }
  sync_directory(to.parent_path());
  sync_directory(from.parent_path());
  return true;
}

void finish_like(const Fd& copy, const FileStatus& original, const Path& path) {
  if (::futimens(copy.get(), modified_alone(original.modified).data()) != 0)
    throw base::system_error(errno, "set the time of", path);
  if (::fchmod(copy.get(), original.mode) != 0) throw base::system_error(errno, "set the mode of", path);
  if (::fsync(copy.get()) != 0) throw base::system_error(errno, "write back", path);
}

}  // namespace hrvm::sys
