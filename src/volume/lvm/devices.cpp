#include "volume/lvm/devices.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "volume/lvm/format.hpp"

namespace hrvm::volume::lvm {
namespace {

using base::Error, base::ErrorKind;
using block::BlockDevice;

constexpr unsigned deepest = 8;  // volumes made of volumes; lvm2 itself needs 4

[[noreturn]] void corrupt(std::string message) { throw Error(ErrorKind::corrupt, std::move(message)); }

// Counts how deep we are while it lives.
class Level {
 public:
  explicit Level(unsigned& depth) : depth_(depth) {
    if (depth_ >= deepest) corrupt("logical volumes are made of each other without end");
    ++depth_;
  }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;
  ~Level() { --depth_; }

 private:
  unsigned& depth_;
};

}  // namespace

GroupDevices::GroupDevices(const Group& group, std::map<std::string, BlockDevice*> physical)
    : group_(group), physical_(std::move(physical)) {
  for (const auto& volume : group_.logical_volumes) {
    logical_[volume.name] = &volume;
    for (const auto& segment : volume.segments)
      if (segment.type == "snapshot") origins_[segment.snapshot_store] = segment.origin;
  }
}

const LogicalVolume& GroupDevices::logical(const std::string& name) const {
  const auto found = logical_.find(name);
  if (found == logical_.end()) corrupt(fmt::format("the volume group lacks a volume that it names: {}", name));
  return *found->second;
}

std::unique_ptr<BlockDevice> GroupDevices::open_volume(const std::string& name, const std::string& path) {
  return open(logical(name), path);
}

// A store that is full, or was not closed well, says so in its header.
std::string GroupDevices::describe_snapshot(const std::string& name) {
  const auto origin = origins_.find(name);
  if (origin == origins_.end()) return {};
  const auto snapshot = "snapshot of " + origin->second;
  try {
    const auto header = base::load<SnapshotHeader>(inner(name).read(0, sizeof(SnapshotHeader)));
    const bool is_lost = header.magic == snapshot_magic && header.valid == 0;
    return is_lost ? snapshot + ", lost: its room was too small" : snapshot;
  } catch (const Error&) {
    return snapshot;  // that its physical volume is not here is a finding of the group
  }
}

BlockDevice& GroupDevices::inner(const std::string& name) {
  auto found = inner_.find(name);
  if (found == inner_.end()) found = inner_.emplace(name, open(logical(name), group_.name + "/" + name)).first;
  return *found->second;
}

std::unique_ptr<BlockDevice> GroupDevices::open(const LogicalVolume& volume, const std::string& path) {
  const Level level(depth_);
  if (volume.segments.empty()) corrupt(fmt::format("{} has no segments", path));
  if (volume.segments.front().type == "thin") return open_thin(volume, path);
  std::vector<MappedSegment> segments;
  for (const auto& segment : volume.segments) segments.push_back(map(segment));
  const auto sectors = physical_.empty() ? block::SectorSizes{} : physical_.begin()->second->sector_sizes();
  return std::make_unique<MappedVolume>(std::move(segments), path, sectors);
}

std::unique_ptr<BlockDevice> GroupDevices::open_thin(const LogicalVolume& volume, const std::string& path) {
  const auto& segment = volume.segments.front();
  if (!segment.origin.empty())
    throw Error(ErrorKind::unsupported,
                fmt::format("it is a thin snapshot of {}, which lies outside of the pool", segment.origin));
  auto& from = pool(segment.thin_pool);
  const auto root = from.root_of(segment.device_id);
  if (!root) corrupt(fmt::format("its thin pool {} knows no volume {}", segment.thin_pool, segment.device_id));
  return std::make_unique<ThinVolume>(from, *root, volume.extents() * group_.extent_bytes(), path);
}

ThinPool& GroupDevices::pool(const std::string& name) {
  auto found = pools_.find(name);
  if (found != pools_.end()) return *found->second;
  const auto& volume = logical(name);
  if (!volume.is_thin_pool()) corrupt(name + " is no thin pool");
  const auto& segment = volume.segments[0];
  auto pool = std::make_unique<ThinPool>(inner(segment.pool_metadata), inner(segment.pool_data));
  return *pools_.emplace(name, std::move(pool)).first->second;
}

MappedSegment GroupDevices::map(const Segment& segment) {
  MappedSegment mapped;
  if (segment.type == "striped")
    mapped = map_stripes(segment);
  else if (segment.type == "mirror" || segment.type == "raid1")
    mapped = map_mirror(segment);
  else if (segment.type == "zero")
    mapped.areas = {{}};
  else
    throw Error(ErrorKind::unsupported, fmt::format("it is of LVM's kind '{}'", segment.type));
  mapped.start = segment.start_extent * group_.extent_bytes();
  mapped.length = segment.extents * group_.extent_bytes();
  return mapped;
}

MappedSegment GroupDevices::map_stripes(const Segment& segment) {
  MappedSegment mapped;
  if (segment.areas.empty()) corrupt("a striped segment has no stripes");
  mapped.stripe_bytes = segment.stripe_sectors * 512;
  if (segment.areas.size() > 1 && (mapped.stripe_bytes == 0 || segment.stripe_sectors > group_.extent_sectors))
    corrupt("stripes of a size that cannot be");
  for (const auto& one : segment.areas) mapped.areas.push_back(area(one));
  return mapped;
}

// Each leg holds all of it.
MappedSegment GroupDevices::map_mirror(const Segment& segment) {
  for (std::size_t i = 0; i < segment.areas.size(); ++i) try {
      MappedSegment mapped;
      mapped.areas = {area(segment.areas[i])};
      return mapped;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::not_found || i + 1 == segment.areas.size()) throw;
    }
  corrupt("a mirror has no legs");
}

MappedSegment::Area GroupDevices::area(const Area& area) {
  const auto physical = std::ranges::find(group_.physical_volumes, area.name, &PhysicalVolume::name);
  if (physical == group_.physical_volumes.end()) return {&inner(area.name), area.extent * group_.extent_bytes()};
  const auto here = physical_.find(area.name);
  if (here == physical_.end())
    throw Error(ErrorKind::not_found, fmt::format("the physical volume {} that it lies on is not here", area.name));
  return {here->second, physical->start_sector * 512 + area.extent * group_.extent_bytes()};
}

}  // namespace hrvm::volume::lvm
