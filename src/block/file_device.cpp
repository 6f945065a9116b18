#include <fcntl.h>
#include <fmt/core.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "block/range.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/trace.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/sys/fd.hpp"

namespace hrvm::block {

namespace {

using base::ErrorKind;

// As large as a page gets on the machines Linux runs on: DONTNEED leaves pages alone that it covers in part.
constexpr std::uint64_t page_bytes = 64 * base::KiB;

class FileDevice : public BlockDevice {
 public:
  FileDevice(sys::Fd fd, std::string name, std::uint64_t size, SectorSizes sectors)
      : fd_(std::move(fd)), name_(std::move(name)), size_(size), sectors_(sectors) {}

  using BlockDevice::read;
  void read(std::uint64_t offset, std::span<std::byte> out) override {
    check_range(*this, offset, out.size());
    while (!out.empty()) {
      const ssize_t got = ::pread(fd_.get(), out.data(), out.size(), off_t(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw base::system_error(errno, "read", name_).at(offset);
      if (got == 0) throw base::Error(ErrorKind::io, name_ + " became shorter while it was read").on(name_).at(offset);
      out = out.subspan(std::size_t(got));
      offset += std::uint64_t(got);
    }
  }

  std::uint64_t size() const override { return size_; }
  SectorSizes sector_sizes() const override { return sectors_; }
  const std::string& name() const override { return name_; }
  std::optional<RawLocation> raw_location() const override { return RawLocation{fd_.get(), 0}; }

 protected:
  int fd() const { return fd_.get(); }

 private:
  sys::Fd fd_;
  std::string name_;
  std::uint64_t size_;
  SectorSizes sectors_;
};

class RegularFile : public FileDevice {
 public:
  using FileDevice::FileDevice;

  Extent extent_at(std::uint64_t offset) override {
    check_range(*this, offset, 1);
    const off_t data = ::lseek(fd(), off_t(offset), SEEK_DATA);
    if (data < 0 && errno == ENXIO) return extent_to(offset, size(), ExtentKind::zero);
    // A filesystem that knows no holes, which is no failure.
    if (data < 0) return FileDevice::extent_at(offset);
    if (std::uint64_t(data) > offset) return extent_to(offset, std::uint64_t(data), ExtentKind::zero);
    const off_t hole = ::lseek(fd(), data, SEEK_HOLE);
    return extent_to(offset, hole > data ? std::uint64_t(hole) : size(), ExtentKind::data);
  }

 private:
  // The file may have grown since it was opened; what came after is not part of this device.
  Extent extent_to(std::uint64_t offset, std::uint64_t end, ExtentKind kind) const {
    return {offset, std::min(end, size()) - offset, kind};
  }
};

// A second descriptor of the same device, which goes around the page cache; none where /proc is not mounted.
sys::Fd open_directly(int fd) {
  return sys::Fd(::open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
}

class FreshBlockSpecial : public FileDevice {
 public:
  FreshBlockSpecial(sys::Fd fd, std::string name, std::uint64_t size, SectorSizes sectors)
      : FileDevice(std::move(fd), std::move(name), size, sectors), direct_(open_directly(this->fd())) {}
  using FileDevice::read;

  // Who reads by himself, from several threads, reads the medium; through the other descriptor he would see what the
  // page cache holds.
  StoredExtent stored_at(std::uint64_t offset, std::uint64_t limit) override {
    auto stored = FileDevice::stored_at(offset, limit);
    if (!direct_) stored.raw.reset();
    if (stored.raw) stored.raw->fd = direct_.get();
    return stored;
  }

  void read(std::uint64_t offset, std::span<std::byte> out) override {
    check_range(*this, offset, out.size());
    const std::uint64_t start = base::round_down(offset, page_bytes);
    const std::uint64_t end = base::round_up(offset + out.size(), page_bytes);
    // Advice: a page that cannot be dropped is one that somebody is about to write, and newer than the medium.
    ::posix_fadvise(fd(), off_t(start), off_t(end - start), POSIX_FADV_DONTNEED);
    FileDevice::read(offset, out);
  }

 private:
  sys::Fd direct_;
};

template <typename T>
T ask_kernel(int fd, unsigned long request, const std::string& name) {
  T answer = 0;
  if (::ioctl(fd, request, &answer) != 0) throw base::system_error(errno, "ask for the size of", name);
  return answer;
}

std::unique_ptr<BlockDevice> make_block_special(sys::Fd fd, const std::string& name, Access access) {
  const auto size = ask_kernel<std::uint64_t>(fd.get(), BLKGETSIZE64, name);
  const SectorSizes sectors{std::uint32_t(ask_kernel<int>(fd.get(), BLKSSZGET, name)),
                            ask_kernel<unsigned>(fd.get(), BLKPBSZGET, name)};
  if (access == Access::fresh) return std::make_unique<FreshBlockSpecial>(std::move(fd), name, size, sectors);
  return std::make_unique<FileDevice>(std::move(fd), name, size, sectors);
}

std::string_view describe(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  return S_ISCHR(mode) ? "a character device" : "a FIFO or a socket";
}

void check_type(mode_t mode, const std::string& name) {
  if (S_ISREG(mode) || S_ISBLK(mode)) return;
  throw base::Error(ErrorKind::unsupported,
                    fmt::format("{} is {}, neither a disk nor an image file", name, describe(mode)))
      .on(name)
      .hint("name a whole disk such as /dev/sda, or an image file");
}

}  // namespace

std::unique_ptr<BlockDevice> open_device(const std::filesystem::path& path, Access access) {
  const std::string name = path.string();
  struct stat st {};
  // Looked at before opening, because opening alone makes some character devices act (a tape, a watchdog) …
  if (::stat(path.c_str(), &st) != 0) throw base::system_error(errno, "open", name);
  check_type(st.st_mode, name);
  // … without waiting, should a FIFO have taken the place since (but a drive is asked whether it has a medium) …
  base::trace("block", "opens {} to read", name);
  sys::Fd fd = sys::open_file(path, S_ISBLK(st.st_mode) ? O_RDONLY : O_RDONLY | O_NONBLOCK);
  // … and again what was opened.
  if (::fstat(fd.get(), &st) != 0) throw base::system_error(errno, "look at", name);
  check_type(st.st_mode, name);
  if (S_ISBLK(st.st_mode)) return make_block_special(std::move(fd), name, access);
  return std::make_unique<RegularFile>(std::move(fd), name, std::uint64_t(st.st_size), SectorSizes{});
}

bool is_claimed(const std::filesystem::path& device) {
  struct stat st {};
  // On other files O_EXCL means nothing, and opening some of them does something.
  if (::stat(device.c_str(), &st) != 0 || !S_ISBLK(st.st_mode)) return false;
  const sys::Fd fd(::open(device.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK));
  return !fd && errno == EBUSY;
}

}  // namespace hrvm::block
