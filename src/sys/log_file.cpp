#include "hrvm/sys/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "hrvm/base/error.hpp"

namespace hrvm::sys {

LogFile LogFile::to_read(const Path& path) { return {open_file(path, O_RDONLY | O_NONBLOCK), path}; }

LogFile LogFile::to_bound(const Path& path) { return {open_file(path, O_RDWR | O_NONBLOCK), path}; }

std::uint64_t LogFile::size_bytes() const {
  struct stat st {};
  if (::fstat(fd_.get(), &st) != 0) throw base::system_error(errno, "look at", path_);
  return std::uint64_t(st.st_size);
}

std::uint64_t LogFile::data_from(std::uint64_t offset) const {
  const off_t data = ::lseek(fd_.get(), off_t(offset), SEEK_DATA);
  if (data >= 0) return std::uint64_t(data);
  if (errno == ENXIO) return std::max(offset, size_bytes());
  return offset;  // a filesystem that knows no holes
}

std::string LogFile::read(std::uint64_t offset, std::size_t longest) const {
  std::string bytes(longest, '\0');
  ssize_t got = -1;
  while ((got = ::pread(fd_.get(), bytes.data(), bytes.size(), off_t(offset))) < 0)
    if (errno != EINTR) throw base::system_error(errno, "read", path_);
  bytes.resize(std::size_t(got));
  return bytes;
}

// A filesystem that knows no such thing writes it in its own time.
void LogFile::begin_writing() const { ::sync_file_range(fd_.get(), 0, 0, SYNC_FILE_RANGE_WRITE); }

bool LogFile::give_back_before(std::uint64_t offset) const {
  if (::fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, off_t(offset)) == 0) return true;
  if (::ftruncate(fd_.get(), 0) != 0) throw base::system_error(errno, "shorten", path_);
  return false;
}

}  // namespace hrvm::sys
