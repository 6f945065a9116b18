#include "fs/xfs/patched_device.hpp"

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::xfs {
namespace {

using base::Error, base::ErrorKind;

constexpr std::size_t most_bytes = 128 * base::MiB;

}  // namespace

// A sector that is written for the first time begins as it lies; a device may end within one.
PatchedDevice::Sector& PatchedDevice::sector_at(std::uint64_t offset) {
  const auto [found, is_new] = newer_.try_emplace(offset);
  if (!is_new) return found->second;
  if (newer_.size() > most_bytes / unit)
    throw Error(ErrorKind::unsupported, "the log changes more than is kept in memory").on(name()).at(offset);
  found->second.fill(std::byte{});
  parent_.read(offset, std::span(found->second).first(std::size_t(std::min(unit, size() - offset))));
  return found->second;
}

void PatchedDevice::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (offset > size() || bytes.size() > size() - offset)
    throw Error(ErrorKind::corrupt, "the log changes what lies beyond the end").on(name()).at(offset);
  while (!bytes.empty()) {
    const auto within = std::size_t(offset % unit), count = std::min(bytes.size(), std::size_t(unit) - within);
    std::ranges::copy(bytes.first(count), sector_at(offset - within).begin() + std::ptrdiff_t(within));
    offset += count;
    bytes = bytes.subspan(count);
  }
}

void PatchedDevice::read(std::uint64_t offset, std::span<std::byte> out) {
  parent_.read(offset, out);
  const std::uint64_t end = offset + out.size();
  for (auto it = newer_.lower_bound(base::round_down(offset, unit)); it != newer_.end() && it->first < end; ++it) {
    const auto begin_here = std::max(offset, it->first), end_here = std::min(end, it->first + unit);
    const auto piece = std::span(it->second).subspan(std::size_t(begin_here - it->first));
    std::ranges::copy(piece.first(std::size_t(end_here - begin_here)),
                      out.begin() + std::ptrdiff_t(begin_here - offset));
  }
}

std::uint64_t PatchedDevice::until_newer(std::uint64_t offset) const {
  const auto next = newer_.lower_bound(base::round_down(offset, unit));
  if (next == newer_.end()) return size() - offset;
  return next->first > offset ? next->first - offset : 0;
}

block::Extent PatchedDevice::extent_at(std::uint64_t offset) {
  const std::uint64_t old = until_newer(offset);
  if (old == 0) return {offset, std::min(unit - offset % unit, size() - offset), block::ExtentKind::data};
  block::Extent extent = parent_.extent_at(offset);
  extent.length = std::min(extent.length, old);
  return extent;
}

block::StoredExtent PatchedDevice::stored_at(std::uint64_t offset, std::uint64_t limit) {
  const std::uint64_t old = until_newer(offset);
  if (old != 0) return parent_.stored_at(offset, std::min(limit, old));
  block::Extent extent = extent_at(offset);
  extent.length = std::min(extent.length, limit);
  return {extent, std::nullopt};
}

}  // namespace hrvm::fs::xfs
