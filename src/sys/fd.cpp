#include "hrvm/sys/fd.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "hrvm/base/error.hpp"

namespace hrvm::sys {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    number_ = other.release();
  }
  return *this;
}

void Fd::reset() {
  // Never retried: Linux has freed the number even when close(2) says EINTR.
  if (number_ >= 0) ::close(release());
}

Fd open_file(const std::filesystem::path& path, int flags, unsigned mode) {
  for (;;) {
    Fd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
    if (fd) return fd;
    if (errno != EINTR) throw base::system_error(errno, "open", path);
  }
}

Fd create_file(const std::filesystem::path& path, unsigned mode) {
  return open_file(path, O_RDWR | O_CREAT | O_EXCL, mode);
}

void open_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) < 0) static_cast<void>(::open("/dev/null", O_RDONLY));  // the lowest number is free
}

Fd open_for_update(const std::filesystem::path& path) { return open_file(path, O_RDWR); }

Fd open_for_reading(const std::filesystem::path& path) { return open_file(path, O_RDONLY); }

Fd memory_file(const std::string& name, std::uint64_t size_bytes) {
  Fd fd(::memfd_create("hrvm", MFD_CLOEXEC));
  const bool made = fd && ::ftruncate(fd.get(), off_t(size_bytes)) == 0;
  if (!made) throw base::system_error(errno, "make a file in memory for", name);
  return fd;
}

Fd open_folder(const std::filesystem::path& path) { return open_file(path, O_RDONLY | O_DIRECTORY); }

}  // namespace hrvm::sys
