#include "fs/btrfs/extent.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "fs/btrfs/volume.hpp"

namespace hrvm::fs::btrfs {
namespace {

using base::Error, base::ErrorKind;

Error cannot_be(const Cursor& at, const Volume& volume) {
  return broken(ErrorKind::corrupt, at, volume, "has an extent that cannot be");
}

void check_packed(const Extent& extent, const Cursor& at, const Volume& volume) {
  const bool is_sound = extent.header.unpacked_bytes <= most_compressed_bytes &&
                        extent.place.stored_bytes <= most_compressed_bytes &&
                        extent.place.stored_bytes % volume.super().sector_bytes == 0;
  if (!is_sound) throw broken(ErrorKind::corrupt, at, volume, "has a compressed extent that cannot be");
}

// `within`: of the byte that is asked for in what the extent shows.
FileExtent locate_in(const Extent& extent, std::uint64_t within, std::uint64_t limit, const Cursor& at,
                     Volume& volume) {
  FileExtent piece{.offset = extent.offset + within, .length = std::min(limit, extent.length - within)};
  if (extent.is_zeros()) return piece;
  piece.stored = extent.is_inline() ? Stored::inside : extent.is_packed() ? Stored::packed : Stored::plain;
  const auto address = extent.is_inline()   ? at.leaf()
                       : extent.is_packed() ? std::uint64_t(extent.place.logical)
                                            : extent.place.logical + extent.place.offset + within;
  const auto location = volume.locate(address);
  piece.device = location.device;
  piece.device_offset = location.offset;
  if (piece.stored == Stored::packed) piece.stored_bytes = extent.place.stored_bytes;
  if (piece.stored == Stored::plain) piece.length = std::min(piece.length, location.length);
  return piece;
}

}  // namespace

Error broken(ErrorKind kind, const Cursor& at, const Volume& volume, std::string_view what) {
  return Error(kind, fmt::format("inode {} of the btrfs on {} {}", at.key().object, volume.name(), what))
      .on(volume.name());
}

Extent parse_extent(const Cursor& at, const Volume& volume) {
  const auto item = at.data();
  if (item.size() < sizeof(ExtentHeader) || at.key().offset % volume.super().sector_bytes != 0)
    throw cannot_be(at, volume);
  Extent extent{.offset = at.key().offset, .header = base::load<ExtentHeader>(item)};
  const auto& header = extent.header;
  if (header.encryption != 0 || header.encoding != 0 || header.compression > compression_zstd)
    throw broken(ErrorKind::unsupported, at, volume, "is stored in a way that is not known");
  const auto rest = item.subspan(sizeof header);
  if (header.type > extent_reserved || (!extent.is_inline() && rest.size() < sizeof(ExtentPlace)))
    throw cannot_be(at, volume);
  if (extent.is_inline())
    extent.inside = rest;
  else
    extent.place = base::load<ExtentPlace>(rest);
  if (extent.is_packed()) check_packed(extent, at, volume);
  extent.length = !extent.is_inline()  ? std::uint64_t(extent.place.bytes)
                  : extent.is_packed() ? std::uint64_t(header.unpacked_bytes)
                                       : rest.size();
  return extent;
}

Cursor first_extent(const Tree& tree, std::uint64_t inode, std::uint64_t offset) {
  const Key first{inode, extent_data, offset};
  auto at = tree.at_or_before(first);
  return at.is_among(inode, extent_data) ? at : tree.from(first);
}

FileExtent locate_extent(const Tree& tree, std::uint64_t inode, std::uint64_t offset, std::uint64_t limit) {
  auto at = first_extent(tree, inode, offset);
  if (at.is_among(inode, extent_data) && at.key().offset <= offset) {
    const auto extent = parse_extent(at, tree.volume());
    const auto within = offset - extent.offset;
    if (within < extent.length) return locate_in(extent, within, limit, at, tree.volume());
    at.next();
  }
  const auto end = at.is_among(inode, extent_data) ? at.key().offset : largest;
  return {.offset = offset, .length = std::min(limit, end - offset)};
}

}  // namespace hrvm::fs::btrfs
