#include "volume/lvm/label.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include <fmt/core.h>

#include "hrvm/base/crc32.hpp"
#include "hrvm/base/error.hpp"
#include "volume/lvm/format.hpp"

namespace hrvm::volume::lvm {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint64_t most_text_bytes = 16u << 20;
constexpr std::size_t most_areas = 8;  // lvm2 itself makes two at most

template <std::size_t n>
std::string_view text_of(const std::array<char, n>& field) {
  return {field.data(), n};
}

std::uint32_t checksum(std::span<const std::byte> bytes) { return base::crc32_register(crc_start, bytes); }

bool lies_in(const block::BlockDevice& device, std::uint64_t offset, std::uint64_t length) {
  return offset <= device.size() && length <= device.size() - offset;
}

// Reads a list of DiskLocation that starts at `at` and moves `at` behind it.
std::vector<DiskLocation> locations(std::span<const std::byte> sector, std::size_t& at) {
  std::vector<DiskLocation> list;
  while (at + sizeof(DiskLocation) <= sector.size()) {
    const auto location = base::load<DiskLocation>(sector, at);
    at += sizeof(DiskLocation);
    if (location.offset == 0) break;
    list.push_back(location);
  }
  return list;
}

// The text may go round the end of the ring, which begins behind the area's header.
Bytes read_ring(block::BlockDevice& device, const AreaHeader& area, const RawLocation& location) {
  Bytes text(location.size);
  const std::uint64_t before_end = std::min<std::uint64_t>(location.size, area.size - location.offset);
  device.read(area.start + location.offset, std::span(text).first(before_end));
  device.read(area.start + sector_bytes, std::span(text).subspan(before_end));
  return text;
}

std::string read_area(block::BlockDevice& device, const DiskLocation& place) {
  const auto fail = [&](std::string_view why) {
    throw base::Error(base::ErrorKind::corrupt, fmt::format("a metadata area {}", why))
        .on(device.name())
        .at(place.offset);
  };
  if (!lies_in(device, place.offset, sector_bytes)) fail("lies outside of the device");
  const auto sector = device.read(place.offset, sector_bytes);
  const auto area = base::load<AreaHeader>(sector);
  if (text_of(area.magic) != area_magic) fail("has no header");
  if (checksum(std::span(sector).subspan(sizeof area.crc)) != area.crc) fail("has a wrong checksum");
  if (area.start != place.offset || area.size <= sector_bytes || !lies_in(device, area.start, area.size))
    fail("does not fit the device");
  const auto location = base::load<RawLocation>(sector, sizeof(AreaHeader));
  if (location.offset == 0 || (location.flags & location_ignored)) return {};
  if (location.offset < sector_bytes || location.offset >= area.size || location.size > area.size - sector_bytes ||
      location.size > most_text_bytes)
    fail("names a text that does not fit it");
  const auto text = read_ring(device, area, location);
  if (checksum(text) != location.crc) fail("holds a text with a wrong checksum");
  return {reinterpret_cast<const char*>(text.data()), text.size()};
}

void read_metadata(block::BlockDevice& device, Label& label, const std::vector<DiskLocation>& areas) {
  for (std::size_t i = 0; i < std::min(areas.size(), most_areas); ++i) try {
      auto text = read_area(device, areas[i]);
      if (text.empty()) continue;
      label.metadata = std::move(text);
      return;
    } catch (const base::Error& error) {
      label.trouble = error.message();
    }
}

std::optional<Label> label_in(block::BlockDevice& device, std::uint64_t sector_number) {
  const auto sector = device.read(sector_number * sector_bytes, sector_bytes);
  const auto header = base::load<LabelHeader>(sector);
  if (text_of(header.id) != label_id || text_of(header.type) != label_type) return std::nullopt;
  if (header.sector != sector_number || header.header_offset > sector_bytes - sizeof(PvHeader)) return std::nullopt;
  if (checksum(std::span(sector).subspan(offsetof(LabelHeader, header_offset))) != header.crc) return std::nullopt;
  const auto pv = base::load<PvHeader>(sector, header.header_offset);
  std::size_t at = header.header_offset + sizeof(PvHeader);
  locations(sector, at);  // data areas: the metadata says the same
  Label label{std::string(text_of(pv.uuid)), pv.device_bytes, {}, {}};
  read_metadata(device, label, locations(sector, at));
  return label;
}

}  // namespace

std::optional<Label> read_label(block::BlockDevice& device) {
  for (std::uint64_t sector = 0; sector < label_scan_sectors && lies_in(device, sector * sector_bytes, sector_bytes);
       ++sector)
    if (auto label = label_in(device, sector)) return label;
  return std::nullopt;
}

}  // namespace hrvm::volume::lvm
