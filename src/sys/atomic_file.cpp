#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "hrvm/base/error.hpp"
#include "hrvm/sys/files.hpp"
#include "sys/temporary_name.hpp"

namespace hrvm::sys {

AtomicFile::AtomicFile(Path final_path, unsigned mode)
    : final_(std::move(final_path)),
      temporary_(temporary_beside(final_)),
      fd_(open_file(temporary_, O_RDWR | O_CREAT | O_EXCL, mode)) {}

AtomicFile::~AtomicFile() {
  if (!committed_) ::unlink(temporary_.c_str());
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

void AtomicFile::commit(bool no_replace) {
  if (::fsync(fd_.get()) != 0) throw base::system_error(errno, "write back", final_);
  rename_durably(temporary_, final_, no_replace);
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
