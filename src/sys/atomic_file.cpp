#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/files.hpp"
#include "sys/temporary_name.hpp"

namespace hrvm::sys {

namespace {

std::string own_name(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

// Null where the filesystem has no such files, or where there is no /proc by which to give one a name.
Fd open_without_name(const Path& folder, unsigned mode) {
  Fd fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, mode));
  if (fd && ::access(own_name(fd.get()).c_str(), F_OK) != 0) fd.reset();
  return fd;
}

}  // namespace

AtomicFile::AtomicFile(Path final_path, unsigned mode)
    : final_(std::move(final_path)), fd_(open_without_name(folder_of(final_), mode)) {
  if (fd_) return;
  temporary_ = temporary_beside(final_);
  fd_ = open_file(temporary_, O_RDWR | O_CREAT | O_EXCL, mode);
}

AtomicFile::~AtomicFile() {
  if (!committed_ && !temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
    if (written >= 0)
      bytes.remove_prefix(std::size_t(written));
    else if (errno != EINTR)
      throw base::system_error(errno, "write", final_);
  }
}

void AtomicFile::give_name(const Path& path) const {
  if (::linkat(AT_FDCWD, own_name(fd_.get()).c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) != 0)
    throw base::system_error(errno, "make", path);
}

void AtomicFile::commit(bool no_replace) {
  if (::fsync(fd_.get()) != 0) throw base::system_error(errno, "write back", final_);
  if (temporary_.empty() && no_replace) {
    give_name(final_);
    sync_directory(folder_of(final_));
  } else {
    if (temporary_.empty()) {
      const auto beside = temporary_beside(final_);
      give_name(beside);
      temporary_ = beside;
    }
    rename_durably(temporary_, final_, no_replace);
  }
  committed_ = true;
}

void write_fully(int fd, std::span<const std::byte> bytes, std::uint64_t offset, const Path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), off_t(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw base::system_error(errno, "write", path).at(offset);
    bytes = bytes.subspan(std::size_t(written));
    offset += std::uint64_t(written);
  }
}

void sync_file(int fd, const Path& path) {
  if (::fdatasync(fd) != 0) throw base::system_error(errno, "write back", path);
}

}  // namespace hrvm::sys
