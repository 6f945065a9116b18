#include <algorithm>
#include <array>
#include <span>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/endian.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/sys/files.hpp"
#include "image/foreign/formats.hpp"
#include "image/qcow2/backing_path.hpp"
#include "image/qcow2/header.hpp"
#include "image/qcow2/snapshot_table.hpp"

namespace hrvm::image {

ImageFormat detect_format(block::BlockDevice& file) {
  std::array<std::byte, sizeof(base::be32)> first{};
  if (file.size() < first.size()) return ImageFormat::raw;
  file.read(0, first);
  if (base::load<base::be32>(first) == qcow2::magic) return ImageFormat::qcow2;
  return foreign::detect_format(file);
}

ImageInfo read_info(block::BlockDevice& file, std::optional<ImageFormat> format) {
  ImageInfo info;
  info.path = file.name();
  info.format = format ? *format : detect_format(file);
  info.virtual_bytes = file.size();
  if (info.format == ImageFormat::raw) return info;
  if (is_foreign(info.format)) {
    info.virtual_bytes = open_foreign(block::with_sectors(file, file.sector_sizes()), info.format)->size();
    return info;
  }
  auto header = read_header(file);
  info.virtual_bytes = header.virtual_bytes;
  info.cluster_bytes = std::uint32_t(header.geometry.cluster_bytes());
  info.subclusters = header.geometry.extended_l2;
  info.version = header.version;
  info.refcount_bits = 1u << header.refcount_order;
  info.compression = word(header.compression);
  info.dirty = header.incompatible_features & qcow2::dirty;
  info.corrupt = header.incompatible_features & qcow2::corrupt;
  info.snapshots = read_snapshots(file, header);
  info.backing = header.backing;
  return info;
}

ImageInfo read_info(const std::filesystem::path& path, std::optional<ImageFormat> format, const InfoReader& read) {
  auto file = block::open_device(path);
  auto info = read ? read(*file, format) : read_info(*file, format);
  info.path = path.string();
  info.allocated_bytes = sys::status(path).allocated_bytes;
  if (info.backing && !names_protocol(info.backing->path)) info.backing_file = resolved(*info.backing, path).path;
  return info;
}

bool stores_nothing(const std::filesystem::path& path) {
  const auto file = block::open_device(path);
  const auto header = read_header(*file);
  std::vector<std::byte> piece(64 * base::KiB);
  const std::uint64_t end = header.l1_offset + std::uint64_t(header.l1_entries) * sizeof(base::be64);
  for (std::uint64_t at = header.l1_offset; at < end; at += piece.size()) {
    const auto bytes = std::span(piece).first(std::size_t(std::min<std::uint64_t>(piece.size(), end - at)));
    file->read(at, bytes);
    if (std::ranges::any_of(bytes, [](std::byte byte) { return byte != std::byte{}; })) return false;
  }
  return true;
}

}  // namespace hrvm::image
