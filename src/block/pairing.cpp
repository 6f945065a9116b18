#include "block/pairing.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <limits>

#include "hrvm/base/byte_size.hpp"

namespace hrvm::block {
namespace {

constexpr std::uint64_t longest_extent = base::GiB;

}  // namespace

StoredExtent part(const StoredExtent& whole, std::uint64_t skipped, std::uint64_t length) {
  StoredExtent result{{whole.extent.offset + skipped, length, whole.extent.kind}, whole.raw};
  if (result.raw) result.raw->offset += skipped;
  return result;
}

StoredExtent Pairing::Side::at(std::uint64_t offset) {
  constexpr auto end = std::numeric_limits<std::uint64_t>::max();
  if (offset >= source.size()) return {{offset, end - offset, ExtentKind::zero}, std::nullopt};
  const bool is_known = offset >= known.extent.offset && offset - known.extent.offset < known.extent.length;
  if (!is_known) known = source.stored_at(offset, std::min(longest_extent, source.size() - offset));
  const auto skipped = offset - known.extent.offset;
  return part(known, skipped, known.extent.length - skipped);
}

Pair Pairing::next(std::uint64_t offset, std::uint64_t limit) {
  Pair pair{one_.at(offset), other_.at(offset)};
  auto length = std::min({pair.one.extent.length, pair.other.extent.length, size() - offset});
  if (may_differ(pair)) length = std::min(length, limit);
  pair.one.extent.length = pair.other.extent.length = length;
  return pair;
}

bool Pairing::may_differ(const Pair& pair) {
  if (pair.one.extent.kind == ExtentKind::zero && pair.other.extent.kind == ExtentKind::zero) return false;
  const auto &one = pair.one.raw, &other = pair.other.raw;
  return !(one && other && one->offset == other->offset && identity(one->fd) == identity(other->fd));
}

const Pairing::Identity& Pairing::identity(int fd) {
  auto [found, is_new] = files_.try_emplace(fd);
  struct stat st {};
  if (is_new && ::fstat(fd, &st) == 0) found->second = {st.st_dev, st.st_ino};
  return found->second;
}

}  // namespace hrvm::block
