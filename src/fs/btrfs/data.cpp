#include "fs/btrfs/data.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "fs/btrfs/checksum.hpp"
#include "fs/btrfs/roots.hpp"
#include "fs/btrfs/unpack.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::fs::btrfs {
namespace {

using base::Error, base::ErrorKind;

constexpr std::uint64_t most_at_once = base::MiB;

[[noreturn]] void fail(ErrorKind kind, const Volume& volume, const Cursor& at, std::string_view what) {
  throw Error(kind, fmt::format("inode {} of the btrfs on {} {}", at.key().object, volume.name(), what))
      .on(volume.name());
}

}  // namespace

struct DataReader::Piece {
  std::uint64_t within;  // of the first byte in what the extent shows
  std::span<std::byte> out;
};

void DataReader::read(const Tree& tree, std::uint64_t inode, std::uint64_t offset, std::span<std::byte> out) {
  std::ranges::fill(out, std::byte{0});
  const auto end = offset + out.size();
  const Key first{inode, extent_data, offset};
  auto at = tree.at_or_before(first);
  if (!at.is_among(inode, extent_data)) at = tree.from(first);
  for (; at.is_among(inode, extent_data) && at.key().offset < end; at.next()) {
    const auto begin = std::max(offset, at.key().offset);
    read_extent(at, {begin - at.key().offset, out.subspan(std::size_t(begin - offset))});
  }
}

void DataReader::read_extent(const Cursor& at, const Piece& piece) {
  const auto item = at.data();
  if (item.size() < sizeof(ExtentHeader)) fail(ErrorKind::corrupt, volume_, at, "has an extent that cannot be");
  const auto header = base::load<ExtentHeader>(item);
  if (header.encryption != 0 || header.encoding != 0 || header.compression > compression_zstd)
    fail(ErrorKind::unsupported, volume_, at, "is stored in a way that is not known");
  const auto rest = item.subspan(sizeof header);
  const bool is_packed = header.compression != compression_none;
  if (is_packed && header.unpacked_bytes > most_compressed_bytes)
    fail(ErrorKind::corrupt, volume_, at, "has a compressed extent that cannot be");
  if (header.type == extent_inline) return read_inline(at, header, rest, piece);
  if (header.type > extent_reserved || rest.size() < sizeof(ExtentPlace))
    fail(ErrorKind::corrupt, volume_, at, "has an extent that cannot be");
  const auto place = base::load<ExtentPlace>(rest);
  if (header.type == extent_reserved || place.logical == 0 || piece.within >= place.bytes) return;
  const auto length = std::size_t(std::min<std::uint64_t>(piece.out.size(), place.bytes - piece.within));
  const Piece shown{piece.within + place.offset, piece.out.first(length)};
  if (!is_packed) return read_plain(place.logical + shown.within, shown.out);
  if (place.stored_bytes > most_compressed_bytes || place.stored_bytes % volume_.super().sector_bytes != 0)
    fail(ErrorKind::corrupt, volume_, at, "has a compressed extent that cannot be");
  if (unpacked_at_ != place.logical) unpack_extent(at, header, place);
  copy(unpacked_, shown);
}

void DataReader::copy(std::span<const std::byte> from, const Piece& piece) {
  if (piece.within >= from.size()) return;
  const auto part = from.subspan(std::size_t(piece.within));
  std::ranges::copy(part.first(std::min(part.size(), piece.out.size())), piece.out.begin());
}

void DataReader::read_inline(const Cursor& at, const ExtentHeader& header, std::span<const std::byte> data,
                             const Piece& piece) {
  if (header.compression == compression_none) return copy(data, piece);
  std::vector<std::byte> unpacked(header.unpacked_bytes);
  if (!unpack(header.compression, data, unpacked, volume_.super().sector_bytes))
    fail(ErrorKind::corrupt, volume_, at, "has a compressed extent that cannot be unpacked");
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

void DataReader::unpack_extent(const Cursor& at, const ExtentHeader& header, const ExtentPlace& place) {
  unpacked_at_ = 0;
  std::vector<std::byte> packed(place.stored_bytes);
  read_sectors(place.logical, packed);
  unpacked_.resize(header.unpacked_bytes);
  if (!unpack(header.compression, packed, unpacked_, volume_.super().sector_bytes))
    fail(ErrorKind::corrupt, volume_, at, "has a compressed extent that cannot be unpacked");
  unpacked_at_ = place.logical;
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
