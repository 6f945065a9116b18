#include "hrvm/block/copy.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::block {

namespace {

constexpr std::uint64_t chunk_bytes = base::MiB;
constexpr std::uint64_t block_bytes = 4 * base::KiB;

struct Target {
  int fd;
  const std::string& path;
};

// The end of the block that `offset` lies in, on the grid of the whole file, so that holes fit the file's own blocks.
std::uint64_t next_boundary(std::uint64_t offset, std::uint64_t grid) { return base::round_down(offset, grid) + grid; }

// How many bytes from `start` on are blocks that are all alike in being zero (or not).
std::size_t run_length(std::span<const std::byte> bytes, std::uint64_t offset, std::size_t start, bool zero) {
  std::size_t end = start;
  while (end < bytes.size()) {
    const auto next =
        std::size_t(std::min<std::uint64_t>(next_boundary(offset + end, block_bytes) - offset, bytes.size()));
    if (is_zero(bytes.subspan(end, next - end)) != zero) break;
    end = next;
  }
  return end - start;
}

void write_without_zeros(const Target& target, std::span<const std::byte> bytes, std::uint64_t offset) {
  for (std::size_t at = 0; at < bytes.size();) {
    at += run_length(bytes, offset, at, true);
    const std::size_t length = run_length(bytes, offset, at, false);
    sys::write_fully(target.fd, bytes.subspan(at, length), offset + at, target.path);
    at += length;
  }
}

void copy_data(BlockDevice& source, const Extent& extent, const Target& target, std::span<std::byte> buffer,
               const sys::ProgressCallback& progress) {
  const std::uint64_t end = extent.offset + extent.length;
  for (std::uint64_t offset = extent.offset; offset < end;) {
    const std::uint64_t next = std::min(next_boundary(offset, chunk_bytes), end);
    const std::span<std::byte> bytes = buffer.first(std::size_t(next - offset));
    source.read(offset, bytes);
    write_without_zeros(target, bytes, offset);
    offset = next;
    progress(offset);
  }
}

}  // namespace

void copy_to_file(BlockDevice& source, int fd, const std::string& path, const sys::ProgressCallback& progress) {
  if (::ftruncate(fd, off_t(source.size())) != 0) throw base::system_error(errno, "set the size of", path);
  std::vector<std::byte> buffer(chunk_bytes);
  for (std::uint64_t offset = 0; offset < source.size();) {
    const Extent extent = source.extent_at(offset);
    if (extent.kind == ExtentKind::data) copy_data(source, extent, {fd, path}, buffer, progress);
    offset += extent.length;
    progress(offset);
  }
}

bool is_zero(std::span<const std::byte> bytes) {
  if (bytes.empty()) return true;
  // Each byte equals the one before it, and the first is zero: memcmp does that a vector at a time.
  return bytes[0] == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

bool supports_direct_io(const std::string& folder) {
  alignas(4096) static const std::byte block[4096] = {};
  const sys::Fd fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600));
  return fd && ::pwrite(fd.get(), block, sizeof block, 0) == ssize_t(sizeof block);
}

}  // namespace hrvm::block
