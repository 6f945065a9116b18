#include "volume/mapped_volume.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"

namespace hrvm::volume {

using block::Extent;

MappedVolume::MappedVolume(std::vector<MappedSegment> segments, std::string name, block::SectorSizes sectors)
    : segments_(std::move(segments)), name_(std::move(name)), sectors_(sectors) {
  if (!segments_.empty()) size_ = segments_.back().start + segments_.back().length;
}

MappedVolume::Piece MappedVolume::piece_at(std::uint64_t offset, std::uint64_t longest) const {
  const auto behind = std::ranges::upper_bound(segments_, offset, {}, &MappedSegment::start);
  const auto& segment = *(behind - 1);
  const auto within = offset - segment.start;
  const auto length = std::min(longest, segment.length - within);
  const auto count = segment.areas.size();
  if (count == 1) return {segment.areas[0].device, segment.areas[0].offset + within, length};
  const auto stripe = within / segment.stripe_bytes, in_stripe = within % segment.stripe_bytes;
  const auto& area = segment.areas[stripe % count];
  return {area.device, area.offset + stripe / count * segment.stripe_bytes + in_stripe,
          std::min(length, segment.stripe_bytes - in_stripe)};
}

void MappedVolume::read(std::uint64_t offset, std::span<std::byte> out) {
  if (offset > size_ || out.size() > size_ - offset)
    throw base::Error(base::ErrorKind::corrupt, fmt::format("reading beyond the end of {}", name_))
        .on(name_)
        .at(offset);
  while (!out.empty()) {
    const auto piece = piece_at(offset, out.size());
    const auto part = out.first(std::size_t(piece.length));
    if (piece.device)
      piece.device->read(piece.offset, part);
    else
      std::ranges::fill(part, std::byte{0});
    out = out.subspan(part.size());
    offset += piece.length;
  }
}

Extent MappedVolume::extent_at(std::uint64_t offset) {
  const auto piece = piece_at(offset, size_ - offset);
  if (!piece.device) return {offset, piece.length, block::ExtentKind::zero};
  if (piece.offset >= piece.device->size()) return {offset, piece.length, block::ExtentKind::data};
  const auto below = piece.device->extent_at(piece.offset);
  return {offset, std::min(below.length, piece.length), below.kind};
}

block::StoredExtent MappedVolume::stored_at(std::uint64_t offset, std::uint64_t limit) {
  const auto piece = piece_at(offset, std::min(limit, size_ - offset));
  if (!piece.device) return {{offset, piece.length, block::ExtentKind::zero}, std::nullopt};
  if (piece.offset >= piece.device->size()) return {{offset, piece.length, block::ExtentKind::data}, std::nullopt};
  auto below = piece.device->stored_at(piece.offset, std::min(piece.length, piece.device->size() - piece.offset));
  below.extent.offset = offset;
  return below;
}

std::optional<block::RawLocation> MappedVolume::raw_location() const {
  if (segments_.size() != 1 || segments_[0].areas.size() != 1 || !segments_[0].areas[0].device) return std::nullopt;
  const auto& area = segments_[0].areas[0];
  if (area.offset > area.device->size() || size_ > area.device->size() - area.offset) return std::nullopt;
  auto location = area.device->raw_location();
  if (location) location->offset += area.offset;
  return location;
}

}  // namespace hrvm::volume
