#include "hrvm/sys/lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <thread>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::sys {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds retry_interval{10};

// flock(2) cannot wait with a limit, so it is asked again and again.
bool take(int fd, int operation, Clock::time_point deadline, const Path& path) {
  while (::flock(fd, operation | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) throw base::system_error(errno, "lock", path);
    if (Clock::now() >= deadline) return false;
    check_interrupted();
    std::this_thread::sleep_for(retry_interval);
  }
  return true;
}

bool is_still_at(int fd, const Path& path) {
  struct stat locked {};
  if (::fstat(fd, &locked) != 0) throw base::system_error(errno, "look at", path);
  const FileStatus named = sys::status(path);
  return named.device == locked.st_dev && named.inode == locked.st_ino;
}

}  // namespace

std::optional<Lock> Lock::try_take(const Path& path, Mode mode, std::chrono::milliseconds patience) {
  const int operation = mode == Mode::shared ? LOCK_SH : LOCK_EX;
  const Clock::time_point deadline = Clock::now() + patience;
  for (;;) {
    Fd fd = open_file(path, O_RDONLY);
    if (!take(fd.get(), operation, deadline, path)) return std::nullopt;
    // Whoever held it may have removed or replaced what was locked: a lock on that orders nothing.
    if (is_still_at(fd.get(), path)) return Lock(std::move(fd));
  }
}

}  // namespace hrvm::sys
