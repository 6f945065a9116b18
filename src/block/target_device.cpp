#include "hrvm/block/target_device.hpp"

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
#include "hrvm/sys/fd.hpp"
#include "hrvm/sys/files.hpp"

#ifndef BLKGETDISKSEQ
#define BLKGETDISKSEQ _IOR(0x12, 128, __u64)
#endif

namespace hrvm::block {

namespace {

using base::Error;
using base::ErrorKind;

// As much as is zeroed by writing at once, where the device has nothing better; aligned as O_DIRECT wants it. Not
// const: as such they would lie in the binary.
constexpr std::size_t zeros_bytes = 256 * base::KiB;
alignas(4096) std::byte zeros[zeros_bytes];

class OpenTarget : public TargetDevice {
 public:
  OpenTarget(sys::Fd fd, std::string name, std::uint64_t size, SectorSizes sectors)
      : fd_(std::move(fd)), name_(std::move(name)), size_(size), sectors_(sectors) {}

  using BlockDevice::read;
  std::uint64_t size() const override { return size_; }
  SectorSizes sector_sizes() const override { return sectors_; }
  const std::string& name() const override { return name_; }

  void read(std::uint64_t offset, std::span<std::byte> out) override {
    check_range(*this, offset, out.size());
    while (!out.empty()) {
      const ssize_t got = ::pread(fd_.get(), out.data(), out.size(), off_t(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw base::system_error(errno, "read", name_).at(offset);
      if (got == 0) throw Error(ErrorKind::io, name_ + " ends before its end").on(name_).at(offset);
      out = out.subspan(std::size_t(got));
      offset += std::uint64_t(got);
    }
  }

  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    check_range(*this, offset, bytes.size());
    sys::write_fully(fd_.get(), bytes, offset, name_);
  }

  void clear(std::uint64_t offset, std::uint64_t length) override {
    check_range(*this, offset, length);
    std::uint64_t range[] = {offset, length};
    if (::ioctl(fd_.get(), BLKZEROOUT, range) == 0) return;
    for (const auto end = offset + length; offset < end;) {
      const auto part = std::min<std::uint64_t>(end - offset, zeros_bytes);
      sys::write_fully(fd_.get(), std::span<const std::byte>(zeros).first(std::size_t(part)), offset, name_);
      offset += part;
    }
  }

  void sync() override {
    if (::fsync(fd_.get()) != 0) throw base::system_error(errno, "sync", name_);
    // Of no use to a descriptor that goes around the cache; its partitions have caches of their own.
    ::ioctl(fd_.get(), BLKFLSBUF, 0);
    ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED);
  }

  bool reread_table() override { return ::ioctl(fd_.get(), BLKRRPART, 0) == 0; }

 private:
  sys::Fd fd_;
  std::string name_;
  std::uint64_t size_;
  SectorSizes sectors_;
};

Error is_another(const std::string& name, std::string_view how) {
  return Error(ErrorKind::refused, fmt::format("{} is not the disk any more that was looked at: {}", name, how))
      .on(name)
      .hint("was it pulled out? Nothing was written; run the command again");
}

void check_numbers(const struct stat& st, const std::string& name, const DeviceIdentity& examined) {
  if (!S_ISBLK(st.st_mode)) throw is_another(name, "it is no block device");
  if (st.st_rdev != examined.numbers) throw is_another(name, "the name leads to another one");
}

sys::Fd open_alone(const std::filesystem::path& device) {
  constexpr int for_us_alone = O_RDWR | O_EXCL | O_CLOEXEC;
  sys::Fd fd(::open(device.c_str(), for_us_alone | O_DIRECT));
  if (!fd && errno == EINVAL) fd = sys::Fd(::open(device.c_str(), for_us_alone));
  if (fd) return fd;
  if (errno != EBUSY) throw base::system_error(errno, "open for writing", device.string());
  throw Error(ErrorKind::refused, fmt::format("{} is in use by somebody who has it for himself alone", device.string()))
      .on(device)
      .hint("a mount, also in another container, swap, LVM, md, ZFS, or another hrvm that writes onto it");
}

// Linux 6.18 opens one that is read-only for writing, and refuses each write.
void check_writable(int fd, const std::string& name) {
  int is_read_only = 0;
  if (::ioctl(fd, BLKROGET, &is_read_only) == 0 && is_read_only != 0)
    throw Error(ErrorKind::permission, fmt::format("{} is read-only", name)).on(name);
}

template <typename T>
T ask(int fd, unsigned long request, const std::string& name) {
  T answer = 0;
  if (::ioctl(fd, request, &answer) != 0) throw base::system_error(errno, "ask for the size of", name);
  return answer;
}

}  // namespace

std::unique_ptr<TargetDevice> open_target(const std::filesystem::path& device, const DeviceIdentity& examined) {
  const std::string name = device.string();
  struct stat st {};
  // Before it is opened, as an open for writing has a udev that is told of it look at the device.
  if (::stat(device.c_str(), &st) != 0) throw base::system_error(errno, "open for writing", name);
  check_numbers(st, name, examined);
  base::trace("block", "opens {} to write", name);
  sys::Fd fd = open_alone(device);
  if (::fstat(fd.get(), &st) != 0) throw base::system_error(errno, "look at", name);
  check_numbers(st, name, examined);
  check_writable(fd.get(), name);
  std::uint64_t sequence = 0;
  if (examined.sequence && ::ioctl(fd.get(), BLKGETDISKSEQ, &sequence) == 0 && sequence != *examined.sequence)
    throw is_another(name, "it was attached since");
  const auto size = ask<std::uint64_t>(fd.get(), BLKGETSIZE64, name);
  if (size != examined.size_bytes) throw is_another(name, "its size is another one");
  const SectorSizes sectors{std::uint32_t(ask<int>(fd.get(), BLKSSZGET, name)),
                            ask<unsigned>(fd.get(), BLKPBSZGET, name)};
  return std::make_unique<OpenTarget>(std::move(fd), name, size, sectors);
}

}  // namespace hrvm::block
