#include "hrvm/sys/fd.hpp"

#include <fcntl.h>
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

}  // namespace hrvm::sys
