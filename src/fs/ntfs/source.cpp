#include "fs/ntfs/source.hpp"

#include <fmt/core.h>

#include "fs/ntfs/library.hpp"

namespace hrvm::fs {
namespace {

NtfsSource& source_of(ntfs_device* device) { return *static_cast<NtfsSource*>(device->d_private); }

int open_device(ntfs_device* device, int) {
  NDevSetOpen(device);
  NDevSetReadOnly(device);
  return 0;
}

int close_device(ntfs_device* device) {
  NDevClearOpen(device);
  return 0;
}

// Asked for the last sector alone, to learn whether it is there: what a cut-off disk still has is read.
s64 seek_nowhere(ntfs_device*, s64 offset, int) { return offset; }

s64 read_at(ntfs_device* device, void* data, s64 count, s64 offset) {
  if (count < 0 || offset < 0) {
    errno = EINVAL;
    return -1;
  }
  return source_of(device).read(std::uint64_t(offset), {static_cast<std::byte*>(data), std::size_t(count)});
}

template <typename Result, typename... Arguments>
Result refuse(Arguments...) {
  errno = EROFS;
  return -1;
}

int sync_nothing(ntfs_device*) { return 0; }

ntfs_device_operations operations = [] {
  ntfs_device_operations all{};
  all.open = open_device;
  all.close = close_device;
  all.seek = seek_nowhere;
  all.read = refuse<s64>;
  all.write = refuse<s64>;
  all.pread = read_at;
  all.pwrite = refuse<s64>;
  all.sync = sync_nothing;
  all.stat = refuse<int>;
  all.ioctl = refuse<int>;
  return all;
}();

}  // namespace

std::int64_t NtfsSource::read(std::uint64_t offset, std::span<std::byte> out) {
  if (offset >= device_.size()) return 0;
  out = out.first(std::size_t(std::min<std::uint64_t>(out.size(), device_.size() - offset)));
  try {
    if (out.size() > allowance_)
      throw base::Error(base::ErrorKind::corrupt, fmt::format("the filesystem on {} leads in circles", device_.name()))
          .on(device_.name())
          .at(offset);
    allowance_ -= out.size();
    cache_.read(offset, out);
    return std::int64_t(out.size());
  } catch (const base::Error& error) {  // must not fly through C
    error_ = error;
    errno = EIO;
    return -1;
  }
}

ntfs_device* open_ntfs_device(NtfsSource& source) {
  return ntfs_device_alloc(source.device().name().c_str(), 0, &operations, &source);
}

}  // namespace hrvm::fs
