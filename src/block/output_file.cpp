#include "hrvm/block/output_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::block {

namespace {

// Smaller ones wait for the medium longer than they take to copy.
constexpr std::uint64_t least_direct_bytes = 128 * base::KiB;

bool is_aligned(std::uint64_t value) { return value % OutputFile::grid_bytes == 0; }

// A second descriptor of the same file; none where /proc is not mounted or the filesystem has no O_DIRECT.
sys::Fd open_directly(int fd) {
  return sys::Fd(::open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_RDWR | O_DIRECT | O_CLOEXEC));
}

}  // namespace

OutputFile::OutputFile(int fd, std::string path)
    : fd_(fd), path_(std::move(path)), direct_(open_directly(fd)), is_direct_(bool(direct_)) {}

// False when this has to go through the page cache, as far as it did not get.
bool OutputFile::write_directly(std::uint64_t offset, std::span<const std::byte> bytes) {
  const bool fits = is_direct_ && bytes.size() >= least_direct_bytes && is_aligned(offset) &&
                    is_aligned(bytes.size()) && is_aligned(std::uint64_t(std::uintptr_t(bytes.data())));
  while (fits && !bytes.empty()) {
    const ssize_t written = ::pwrite(direct_.get(), bytes.data(), bytes.size(), off_t(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EINVAL) is_direct_ = false;
    if (written < 0 && errno != EINVAL) throw base::system_error(errno, "write", path_).at(offset);
    if (written < 0 || !is_aligned(std::uint64_t(written))) return false;
    bytes = bytes.subspan(std::size_t(written));
    offset += std::uint64_t(written);
  }
  return fits;
}

void OutputFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (!write_directly(offset, bytes)) sys::write_fully(fd_, bytes, offset, path_);
}

void OutputFile::set_size(std::uint64_t bytes) {
  if (::ftruncate(fd_, off_t(bytes)) != 0) throw base::system_error(errno, "set the size of", path_);
}

void OutputFile::reserve(std::uint64_t offset, std::uint64_t length) {
  if (is_direct_) ::fallocate(fd_, 0, off_t(offset), off_t(length));
}

Cloning OutputFile::cloning(const RawLocation& from) const {
  const std::lock_guard lock(mutex_);
  if (can_clone_.contains(from.fd)) return Cloning::possible;
  return cannot_clone_.contains(from.fd) ? Cloning::impossible : Cloning::unknown;
}

bool OutputFile::clone(const RawLocation& from, std::uint64_t length, std::uint64_t offset) {
  file_clone_range range{};
  range.src_fd = from.fd;
  range.src_offset = from.offset;
  range.src_length = length;
  range.dest_offset = offset;
  const bool done = ::ioctl(fd_, FICLONERANGE, &range) == 0;
  if (!done && (errno == ENOSPC || errno == EDQUOT || errno == EIO)) {
    throw base::system_error(errno, "write", path_).at(offset);
  }
  const std::lock_guard lock(mutex_);
  (done ? can_clone_ : cannot_clone_).insert(from.fd);
  if (!done) can_clone_.erase(from.fd);
  if (done) has_cloned_ = true;
  return done;
}

}  // namespace hrvm::block
