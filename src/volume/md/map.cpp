#include "volume/md/map.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "volume/md/format.hpp"

namespace hrvm::volume::md {
namespace {

using base::Error, base::ErrorKind;
using Areas = std::vector<MappedSegment::Area>;

constexpr std::uint64_t largest = 1ull << 62;  // bytes of an array

[[noreturn]] void corrupt(std::string why) { throw Error(ErrorKind::corrupt, std::move(why)); }

// Each of its members holds all of it.
std::vector<MappedSegment> map_mirror(const Super& array, const Parts& parts) {
  if (parts.empty()) throw Error(ErrorKind::not_found, "no member of it that is current is here");
  const auto& part = parts.begin()->second;
  if (array.used_bytes == 0 || array.used_bytes > part.super.data_bytes)
    corrupt("its members are smaller than it says");
  return {{0, array.used_bytes, 0, {{part.device, part.super.data_offset}}}};
}

void need_all(const Super& array, const Parts& parts) {
  if (array.members == 0) corrupt("it has no members");
  if (parts.size() == array.members && parts.rbegin()->first == array.members - 1) return;
  throw Error(ErrorKind::not_found,
              fmt::format("it needs all of its {} members, and {} are here", array.members, parts.size()));
}

// What of a member is used: whole chunks.
std::uint64_t used_bytes(const Super& array, const Part& part) {
  return array.chunk_bytes ? base::round_down(part.super.data_bytes, array.chunk_bytes) : part.super.data_bytes;
}

std::vector<MappedSegment> map_linear(const Super& array, const Parts& parts) {
  need_all(array, parts);
  std::vector<MappedSegment> segments;
  std::uint64_t start = 0;
  for (const auto& [role, part] : parts) {
    const auto length = used_bytes(array, part);
    if (length == 0 || length > largest - start) corrupt("it has a member of a size that cannot be");
    segments.push_back({start, length, 0, {{part.device, part.super.data_offset}}});
    start += length;
  }
  return segments;
}

// A zone has stripes on all members that reach beyond the zone before.
std::vector<MappedSegment> map_stripes(const Super& array, const Parts& parts) {
  need_all(array, parts);
  if (array.chunk_bytes == 0) corrupt("it has chunks of no size");
  std::vector<MappedSegment> zones;
  std::uint64_t start = 0, used = 0;  // of the array, and of each member, by the zones before
  for (;;) {
    Areas areas;
    std::uint64_t shortest = largest;
    for (const auto& [role, part] : parts)
      if (const auto length = used_bytes(array, part); length > used) {
        areas.push_back({part.device, part.super.data_offset + used});
        shortest = std::min(shortest, length);
      }
    if (areas.empty()) break;
    const auto deep = shortest - used;
    if (deep > (largest - start) / areas.size()) corrupt("it has members of sizes that cannot be");
    if (array.layout == layout_original)
      std::rotate(areas.begin(), areas.begin() + std::ptrdiff_t(start / array.chunk_bytes % areas.size()), areas.end());
    const auto length = deep * areas.size();
    zones.push_back({start, length, array.chunk_bytes, std::move(areas)});
    start += length;
    used = shortest;
  }
  if (zones.empty()) corrupt("its members have no room");
  if (zones.size() > 1 && array.layout != layout_original && array.layout != layout_by_zone)
    throw Error(ErrorKind::unsupported,
                "its members differ in size, and it does not say in which of two ways its chunks then lie");
  return zones;
}

struct Kind {
  std::int32_t level;
  std::string_view name;
  std::vector<MappedSegment> (*map)(const Super&, const Parts&);
};
constexpr std::array<Kind, 8> kinds = {{
    {level_linear, "linear", map_linear},
    {level_raid0, "raid0", map_stripes},
    {level_raid1, "raid1", map_mirror},
    {4, "raid4", nullptr},
    {5, "raid5", nullptr},
    {6, "raid6", nullptr},
    {10, "raid10", nullptr},
    {-4, "multipath", nullptr},
}};

}  // namespace

std::string level_name(std::int32_t level) {
  const auto kind = std::ranges::find(kinds, level, &Kind::level);
  return kind == kinds.end() ? fmt::format("level {}", level) : std::string(kind->name);
}

std::vector<MappedSegment> map_array(const Super& array, const Parts& parts) {
  const auto kind = std::ranges::find(kinds, array.level, &Kind::level);
  if (kind == kinds.end() || !kind->map)
    throw Error(ErrorKind::unsupported, fmt::format("it is of md's kind '{}'", level_name(array.level)));
  if (array.is_reshaping) throw Error(ErrorKind::unsupported, "it is being reshaped");
  return kind->map(array, parts);
}

}  // namespace hrvm::volume::md
