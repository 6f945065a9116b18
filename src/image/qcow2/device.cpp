#include "image/qcow2/device.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "image/foreign/block_table.hpp"

namespace hrvm::image {
namespace {

using base::Error;
using base::ErrorKind;
using block::BlockDevice;
using block::Extent;
using block::ExtentKind;
using Kind = MapExtent::Kind;

// How far one call of extent_at looks ahead: those who copy ask again for every MiB.
constexpr std::uint64_t longest_extent = base::GiB;
constexpr unsigned most_pieces = 1024;

// What lies behind the device's end reads as zeros.
void read_padded(BlockDevice& device, std::uint64_t offset, std::span<std::byte> out) {
  auto there = offset < device.size() ? std::min<std::uint64_t>(out.size(), device.size() - offset) : 0;
  if (there != 0) device.read(offset, out.first(std::size_t(there)));
  std::ranges::fill(out.subspan(std::size_t(there)), std::byte{0});
}

MapExtent stored_here(std::uint64_t offset, const Mapping& run, unsigned layer) {
  switch (run.stored) {
    case Stored::data:
      return {offset, run.length, Kind::data, layer, run.host_offset};
    case Stored::compressed:
      return {offset, run.length, Kind::data, layer};
    case Stored::zero:
      return {offset, run.length, Kind::zero, layer};
    case Stored::nothing:
      break;
  }
  return {offset, run.length, Kind::hole, layer};
}

}  // namespace

MapExtent stored_below(const BlockDevice& device, const Extent& extent, unsigned layer) {
  if (extent.kind == ExtentKind::zero) return {extent.offset, extent.length, Kind::hole, layer};
  if (foreign::format_of(&device) != ImageFormat::raw) return {extent.offset, extent.length, Kind::data, layer};
  return {extent.offset, extent.length, Kind::data, layer, extent.offset};
}

Qcow2Device::Qcow2Device(std::unique_ptr<BlockDevice> file, const ImageHeader& header,
                         std::unique_ptr<BlockDevice> backing)
    : file_(std::move(file)),
      header_(header),
      backing_(std::move(backing)),
      backing_image_(dynamic_cast<Qcow2Device*>(backing_.get())),
      map_(*file_, header_),
      compressed_(*file_, header_) {}

block::SectorSizes Qcow2Device::sector_sizes() const {
  return backing_ ? backing_->sector_sizes() : block::SectorSizes{};
}

void Qcow2Device::read_compressed(std::uint64_t offset, std::span<std::byte> out) {
  const auto& geometry = header_.geometry;
  while (!out.empty()) {
    auto in_cluster = geometry.offset_in_cluster(offset);
    auto part = out.first(std::size_t(std::min<std::uint64_t>(out.size(), geometry.cluster_bytes() - in_cluster)));
    compressed_.read(map_.compressed_at(offset), in_cluster, part);
    out = out.subspan(part.size());
    offset += part.size();
  }
}

void Qcow2Device::read_piece(std::uint64_t offset, const Mapping& piece, std::span<std::byte> out) {
  switch (piece.stored) {
    case Stored::data:
      return read_padded(*file_, piece.host_offset, out);
    case Stored::nothing:
      if (backing_) return read_padded(*backing_, offset, out);
      [[fallthrough]];
    case Stored::zero:
      std::ranges::fill(out, std::byte{0});
      return;
    case Stored::compressed:
      return read_compressed(offset, out);
  }
}

void Qcow2Device::read(std::uint64_t offset, std::span<std::byte> out) {
  if (offset > size() || out.size() > size() - offset) {
    throw Error(ErrorKind::corrupt, fmt::format("a read of {} bytes at {:#x} leaves the {} bytes of {}", out.size(),
                                                offset, size(), name()))
        .on(name())
        .at(offset);
  }
  while (!out.empty()) {
    auto piece = map_.at(offset, out.size());
    read_piece(offset, piece, out.first(std::size_t(piece.length)));
    out = out.subspan(std::size_t(piece.length));
    offset += piece.length;
  }
}

Extent Qcow2Device::backing_extent(std::uint64_t offset) {
  auto end = [&] { return known_backing_.offset + known_backing_.length; };
  if (offset < known_backing_.offset || offset >= end()) known_backing_ = backing_->extent_at(offset);
  return {offset, end() - offset, known_backing_.kind};
}

bool Qcow2Device::visit_backing(std::uint64_t offset, std::uint64_t length, unsigned layer,
                                const Visitor& visit_piece) {
  auto end = offset + length;
  auto end_there = std::min(end, backing_->size());
  if (offset < end_there && backing_image_) {
    if (!backing_image_->visit(offset, end_there - offset, layer + 1, visit_piece)) return false;
    offset = end_there;
  }
  while (offset < end_there) {
    auto piece = backing_extent(offset);
    piece.length = std::min(piece.length, end_there - offset);
    if (!visit_piece(stored_below(*backing_, piece, layer + 1))) return false;
    offset += piece.length;
  }
  return offset == end || visit_piece({offset, end - offset, Kind::hole, layer});
}

bool Qcow2Device::visit(std::uint64_t offset, std::uint64_t length, unsigned layer, const Visitor& visit_piece) {
  while (length != 0) {
    auto run = map_.at(offset, length);
    bool goes_on = run.stored == Stored::nothing && backing_ ? visit_backing(offset, run.length, layer, visit_piece)
                                                             : visit_piece(stored_here(offset, run, layer));
    if (!goes_on) return false;
    offset += run.length;
    length -= run.length;
  }
  return true;
}

Extent Qcow2Device::extent_at(std::uint64_t offset) {
  std::optional<Extent> extent;
  unsigned pieces = 0;
  visit(offset, std::min(longest_extent, size() - offset), 0, [&](const MapExtent& piece) {
    auto kind = piece.kind == Kind::data ? ExtentKind::data : ExtentKind::zero;
    if (extent && extent->kind != kind) return false;
    if (extent) extent->length += piece.length;
    if (!extent) extent = Extent{piece.offset, piece.length, kind};
    return ++pieces < most_pieces;
  });
  return *extent;
}

}  // namespace hrvm::image
