#include "fs/btrfs/data.hpp"

#include <algorithm>

#include "fs/btrfs/checksum.hpp"
#include "fs/btrfs/roots.hpp"
#include "fs/btrfs/unpack.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::btrfs {
namespace {

using base::ErrorKind;

constexpr std::uint64_t most_at_once = base::MiB;

}  // namespace

struct DataReader::Piece {
  std::uint64_t within;  // of the first byte in what the extent shows
  std::span<std::byte> out;
};

void DataReader::read(const Tree& tree, std::uint64_t inode, std::uint64_t offset, std::span<std::byte> out) {
  std::ranges::fill(out, std::byte{0});
  const auto end = offset + out.size();
  auto at = first_extent(tree, inode, offset);
  for (; at.is_among(inode, extent_data) && at.key().offset < end; at.next()) {
    const auto begin = std::max(offset, at.key().offset);
    read_extent(at, {begin - at.key().offset, out.subspan(std::size_t(begin - offset))});
  }
}

void DataReader::read_extent(const Cursor& at, const Piece& piece) {
  const auto extent = parse_extent(at, volume_);
  if (extent.is_zeros() || piece.within >= extent.length) return;
  if (extent.is_inline()) return read_inline(at, extent, piece);
  const auto length = std::size_t(std::min<std::uint64_t>(piece.out.size(), extent.length - piece.within));
  const Piece shown{piece.within + extent.place.offset, piece.out.first(length)};
  if (!extent.is_packed()) return read_plain(extent.place.logical + shown.within, shown.out);
  if (unpacked_at_ != extent.place.logical) unpack_extent(at, extent);
  copy(unpacked_, shown);
}

void DataReader::copy(std::span<const std::byte> from, const Piece& piece) {
  if (piece.within >= from.size()) return;
  const auto part = from.subspan(std::size_t(piece.within));
  std::ranges::copy(part.first(std::min(part.size(), piece.out.size())), piece.out.begin());
}

void DataReader::read_inline(const Cursor& at, const Extent& extent, const Piece& piece) {
  if (!extent.is_packed()) return copy(extent.inside, piece);
  std::vector<std::byte> unpacked(extent.header.unpacked_bytes);
  unpack_into(unpacked, extent.inside, at, extent);
  copy(unpacked, piece);
}

void DataReader::read_plain(std::uint64_t logical, std::span<std::byte> out) {
  const std::uint64_t sector = volume_.super().sector_bytes;
  std::vector<std::byte> sectors;
  while (!out.empty()) {
    const auto begin = base::round_down(logical, sector);
    const auto in_sector = std::size_t(logical - begin);
    const auto length = std::min<std::size_t>(out.size(), most_at_once - in_sector);
    sectors.resize(std::size_t(base::round_up(in_sector + length, sector)));
    read_sectors(begin, sectors);
    std::ranges::copy(std::span(sectors).subspan(in_sector, length), out.begin());
    out = out.subspan(length);
    logical += length;
  }
}

void DataReader::unpack_extent(const Cursor& at, const Extent& extent) {
  unpacked_at_ = 0;
  std::vector<std::byte> packed(extent.place.stored_bytes);
  read_sectors(extent.place.logical, packed);
  unpacked_.resize(extent.header.unpacked_bytes);
  unpack_into(unpacked_, packed, at, extent);
  unpacked_at_ = extent.place.logical;
}

void DataReader::unpack_into(std::span<std::byte> out, std::span<const std::byte> packed, const Cursor& at,
                             const Extent& extent) {
  if (!unpack(extent.header.compression, packed, out, volume_.super().sector_bytes))
    throw broken(ErrorKind::corrupt, at, volume_, "has a compressed extent that cannot be unpacked");
}

void DataReader::read_sectors(std::uint64_t logical, std::span<std::byte> out) {
  volume_.read(logical, out, [&](std::uint64_t from, std::span<const std::byte> part) { return is_good(from, part); });
}

// What no checksum covers is taken as it is: files without copy-on-write have none.
bool DataReader::is_good(std::uint64_t logical, std::span<const std::byte> sectors) {
  const auto tree = tree_of_checksums(volume_);
  if (!tree) return true;
  const std::uint64_t sector = volume_.super().sector_bytes, end = logical + sectors.size();
  const auto type = volume_.super().checksum_type;
  const auto length = checksum_bytes(type);
  const Key first{checksum_object, extent_checksum, logical};
  auto at = tree->at_or_before(first);
  if (!at.is_among(checksum_object, extent_checksum)) at = tree->from(first);
  for (; at.is_among(checksum_object, extent_checksum) && at.key().offset < end; at.next()) {
    const auto start = at.key().offset;
    const auto sums = at.data();
    for (auto here = std::max(start, logical); here + sector <= end; here += sector) {
      const auto index = (here - start) / sector;
      if (index >= sums.size() / length) break;
      const auto sum = checksum_of(type, sectors.subspan(std::size_t(here - logical), std::size_t(sector)));
      if (!std::ranges::equal(std::span(sum).first(length), sums.subspan(std::size_t(index * length), length)))
        return false;
    }
  }
  return true;
}

}  // namespace hrvm::fs::btrfs
