#include "volume/lvm/group.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"

namespace hrvm::volume::lvm {
namespace {

constexpr std::uint64_t most_extents = 1ull << 32, most_extent_sectors = 1ull << 32, most_bytes = 1ull << 60;

[[noreturn]] void corrupt(const std::string& message) {
  throw base::Error(base::ErrorKind::corrupt, "the volume group's metadata: " + message);
}

std::string without_dashes(std::string text) {
  std::erase(text, '-');
  return text;
}

std::uint64_t extents(const Section& section, std::string_view key) {
  const auto value = section.required_number(key);
  if (value > most_extents) corrupt(fmt::format("{} is absurdly large", key));
  return value;
}

bool has_flag(const Section& section, std::string_view flag) {
  return std::ranges::any_of(section.list("status"), [&](const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    return text && *text == flag;
  });
}

// A list of names and extents by turns.
std::vector<Area> areas(const std::vector<Value>& list) {
  std::vector<Area> result;
  for (std::size_t i = 0; i + 1 < list.size(); i += 2) {
    const auto* name = std::get_if<std::string>(&list[i]);
    const auto* extent = std::get_if<std::int64_t>(&list[i + 1]);
    if (!name || !extent || *extent < 0 || std::uint64_t(*extent) > most_extents) corrupt("an area makes no sense");
    result.push_back({*name, std::uint64_t(*extent)});
  }
  return result;
}

// Of RAID the list has a volume for metadata and one for data by turns: the second ones hold what is read.
std::vector<Area> images(const std::vector<Value>& list) {
  std::vector<Area> result;
  for (std::size_t i = 1; i < list.size(); i += 2)
    if (const auto* name = std::get_if<std::string>(&list[i])) result.push_back({*name, 0});
  return result;
}

std::vector<Area> areas_of(const Section& section) {
  for (const auto key : {"stripes", "mirrors"})
    if (!section.list(key).empty()) return areas(section.list(key));
  return images(section.list("raids"));
}

Segment read_segment(const Section& section) {
  Segment segment;
  segment.start_extent = extents(section, "start_extent");
  segment.extents = extents(section, "extent_count");
  segment.type = section.text("type").value_or("");
  segment.type = segment.type.substr(0, segment.type.find('+'));  // "cache+METADATA_FORMAT" and such
  segment.stripe_sectors = section.number("stripe_size").value_or(0);
  segment.areas = areas_of(section);
  segment.thin_pool = section.text("thin_pool").value_or("");
  segment.device_id = section.number("device_id").value_or(0);
  segment.pool_data = section.text("pool").value_or("");
  segment.pool_metadata = section.text("metadata").value_or("");
  segment.origin = section.text(segment.type == "thin" ? "external_origin" : "origin").value_or("");
  segment.snapshot_store = section.text("cow_store").value_or("");
  if (segment.extents == 0) corrupt("a segment is empty");
  return segment;
}

LogicalVolume read_logical_volume(const Section::Named& named) {
  LogicalVolume volume{named.name, has_flag(named.section, "VISIBLE"), {}};
  for (const auto& inner : named.section.sections())
    if (inner.name.starts_with("segment")) volume.segments.push_back(read_segment(inner.section));
  std::ranges::sort(volume.segments, {}, &Segment::start_extent);
  std::uint64_t next = 0;
  for (const auto& segment : volume.segments) {
    if (segment.start_extent != next) corrupt(fmt::format("{} has a gap between its segments", named.name));
    next += segment.extents;
  }
  return volume;
}

PhysicalVolume read_physical_volume(const Section::Named& named) {
  const auto& section = named.section;
  return {named.name, without_dashes(section.text("id").value_or("")), section.required_number("pe_start"),
          extents(section, "pe_count"), section.text("device").value_or("")};
}

// So that no size in bytes overflows.
void check_sizes(const Group& group) {
  const auto most = most_bytes / group.extent_bytes();
  for (const auto& volume : group.logical_volumes)
    if (volume.extents() > most) corrupt(fmt::format("{} is absurdly large", volume.name));
  for (const auto& volume : group.physical_volumes)
    if (volume.extents > most || volume.start_sector > most_bytes / 512)
      corrupt(fmt::format("{} is absurdly large", volume.name));
}

}  // namespace

std::uint64_t LogicalVolume::extents() const {
  return segments.empty() ? 0 : segments.back().start_extent + segments.back().extents;
}

Group read_group(const Section& text) {
  if (text.sections().empty()) corrupt("no group is described");
  const auto& [name, section] = text.sections().front();
  Group group;
  group.name = name;
  group.uuid = without_dashes(section.text("id").value_or(""));
  group.sequence = section.required_number("seqno");
  group.extent_sectors = section.required_number("extent_size");
  if (group.extent_sectors == 0 || group.extent_sectors > most_extent_sectors) corrupt("its extents have no size");
  for (const auto& named : section.required_section("physical_volumes").sections())
    group.physical_volumes.push_back(read_physical_volume(named));
  if (const auto* volumes = section.section("logical_volumes"))
    for (const auto& named : volumes->sections()) group.logical_volumes.push_back(read_logical_volume(named));
  check_sizes(group);
  return group;
}

}  // namespace hrvm::volume::lvm
