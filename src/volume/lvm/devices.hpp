// GroupDevices: the logical volumes of one group as block devices, those that others are made of included.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "hrvm/block/block_device.hpp"
#include "volume/lvm/group.hpp"
#include "volume/mapped_volume.hpp"
#include "volume/thin/pool.hpp"

namespace hrvm::volume::lvm {

class GroupDevices {
 public:
  // `physical` are those of the physical volumes that are here, by their names in the group. They must outlive this.
  GroupDevices(const Group& group, std::map<std::string, block::BlockDevice*> physical);

  // This must outlive what it gives. Error{unsupported} for kinds that are not read, {not_found} where a physical
  // volume is not here, {corrupt} for what cannot be. `path` becomes its name.
  std::unique_ptr<block::BlockDevice> open_volume(const std::string& name, const std::string& path);
  // What a volume stores that is a snapshot of another: "snapshot of root". Empty for other volumes.
  std::string describe_snapshot(const std::string& name);

 private:
  const LogicalVolume& logical(const std::string& name) const;
  block::BlockDevice& inner(const std::string& name);
  std::unique_ptr<block::BlockDevice> open(const LogicalVolume& volume, const std::string& path);
  std::unique_ptr<block::BlockDevice> open_thin(const LogicalVolume& volume, const std::string& path);
  ThinPool& pool(const std::string& name);
  MappedSegment map(const Segment& segment);
  MappedSegment map_stripes(const Segment& segment);
  MappedSegment map_mirror(const Segment& segment);
  MappedSegment::Area area(const Area& area);

  Group group_;
  std::map<std::string, block::BlockDevice*> physical_;
  std::map<std::string, const LogicalVolume*> logical_;
  std::map<std::string, std::string> origins_;  // of snapshots, by the volume that stores their differences
  std::map<std::string, std::unique_ptr<block::BlockDevice>> inner_;
  std::map<std::string, std::unique_ptr<ThinPool>> pools_;
  unsigned depth_ = 0;
};

}  // namespace hrvm::volume::lvm
