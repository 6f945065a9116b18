#include "hrvm/block/patched_device.hpp"

#include <algorithm>

#include "block/range.hpp"

namespace hrvm::block {

namespace {

// The part of a patch that lies in [offset, offset + length); of none its begin is its end.
struct Overlap {
  std::uint64_t begin = 0, end = 0;
};

Overlap overlap(const Patch& patch, std::uint64_t offset, std::uint64_t length) {
  const auto begin = std::max(offset, patch.offset);
  return {begin, std::max(begin, std::min(offset + length, patch.offset + patch.bytes.size()))};
}

}  // namespace

void PatchedDevice::read(std::uint64_t offset, std::span<std::byte> out) {
  check_range(*this, offset, out.size());
  const auto there = std::min<std::uint64_t>(out.size(), parent_.size() - std::min(offset, parent_.size()));
  if (there != 0) parent_.read(offset, out.first(std::size_t(there)));
  std::ranges::fill(out.subspan(std::size_t(there)), std::byte{0});
  for (const auto& patch : patches_) {
    const auto [begin, end] = overlap(patch, offset, out.size());
    if (begin == end) continue;
    const auto bytes = std::span(patch.bytes).subspan(std::size_t(begin - patch.offset), std::size_t(end - begin));
    std::ranges::copy(bytes, out.begin() + std::ptrdiff_t(begin - offset));
  }
}

StoredExtent PatchedDevice::stored_at(std::uint64_t offset, std::uint64_t limit) {
  check_range(*this, offset, 1);
  auto length = std::min(limit, size_ - offset);
  for (const auto& patch : patches_) {
    const auto [begin, end] = overlap(patch, offset, length);
    if (begin == end) continue;
    if (begin == offset) return {{offset, end - begin, ExtentKind::data}, std::nullopt};
    length = begin - offset;
  }
  if (offset >= parent_.size()) return {{offset, length, ExtentKind::zero}, std::nullopt};
  return parent_.stored_at(offset, std::min(length, parent_.size() - offset));
}

}  // namespace hrvm::block
