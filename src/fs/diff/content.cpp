#include "fs/diff/content.hpp"

#include <algorithm>
#include <cstring>

#include "hrvm/base/byte_size.hpp"

namespace hrvm::fs {
namespace {

constexpr std::size_t read_at_once = base::MiB;

bool is_dated_alike(const FileOf& one, const FileOf& other) {
  return one.stat.times.changed && one.stat.times.changed == other.stat.times.changed;
}

bool is_at_one_place(const FileExtent& a, const FileExtent& b, bool is_dated_alike) {
  if (a.stored != b.stored || a.device != b.device || a.device_offset != b.device_offset) return false;
  return a.stored == Stored::plain ||
         (a.stored == Stored::packed && is_dated_alike && a.stored_bytes != 0 && a.stored_bytes == b.stored_bytes);
}

std::uint64_t stored_bytes(const FileExtent& extent) {
  return extent.stored == Stored::plain ? extent.length : extent.stored_bytes;
}

}  // namespace

bool ContentComparison::is_same(const FileOf& one, const FileOf& other) {
  const auto size = one.stat.size_bytes;
  for (std::uint64_t at = 0; at < size;) {
    const auto a = one.files.extent_at(one.stat.node, at, size - at);
    const auto b = a ? other.files.extent_at(other.stat.node, at, a->length) : std::nullopt;
    if (!a || !b) return !a && !b;
    auto shorter = *a;
    shorter.length = std::min(a->length, b->length);
    if (!is_same_extent(one, other, shorter, *b)) return false;
    at += shorter.length;
  }
  return true;
}

bool ContentComparison::is_same_extent(const FileOf& one, const FileOf& other, const FileExtent& a,
                                       const FileExtent& b) {
  if (a.stored == Stored::zeros && b.stored == Stored::zeros) return true;
  if (!is_at_one_place(a, b, is_dated_alike(one, other)) || a.device >= differing_.size())
    return is_same_range(one, other, a.offset, a.length);
  const auto& differing = differing_[a.device];
  const block::ByteRange stored{a.device_offset, stored_bytes(a)};
  if (!differing.touches(stored)) return true;
  if (a.stored != Stored::plain) return is_same_range(one, other, a.offset, a.length);
  return std::ranges::all_of(differing.within(stored), [&](const block::ByteRange& each) {
    return is_same_range(one, other, a.offset + (each.offset - a.device_offset), each.length);
  });
}

bool ContentComparison::is_same_range(const FileOf& one, const FileOf& other, std::uint64_t offset,
                                      std::uint64_t length) {
  one_.resize(read_at_once);
  other_.resize(read_at_once);
  for (std::uint64_t done = 0; done < length;) {
    const auto wanted = std::size_t(std::min<std::uint64_t>(read_at_once, length - done));
    const auto a = one.files.read(one.stat.node, offset + done, std::span(one_).first(wanted));
    const auto b = other.files.read(other.stat.node, offset + done, std::span(other_).first(wanted));
    if (a != b || std::memcmp(one_.data(), other_.data(), a) != 0) return false;
    if (a == 0) return true;
    done += a;
  }
  return true;
}

}  // namespace hrvm::fs
