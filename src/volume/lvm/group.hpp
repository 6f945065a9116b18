// A volume group as its metadata describe it. Extents and sectors are as in the text: sectors of 512 bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "volume/lvm/text.hpp"

namespace hrvm::volume::lvm {

// A part of a physical volume, or of another logical volume of the group.
struct Area {
  std::string name;
  std::uint64_t extent = 0;
};

struct Segment {
  std::uint64_t start_extent = 0, extents = 0;
  std::string type;  // "striped", "raid1", "thin" …
  std::uint64_t stripe_sectors = 0;
  std::vector<Area> areas;  // stripes, or legs that all hold the same

  std::string thin_pool;  // of a thin volume
  std::uint64_t device_id = 0;
  std::string pool_data, pool_metadata;  // of a thin pool

  std::string origin;          // of a snapshot, and of a thin volume whose origin is none of its pool's
  std::string snapshot_store;  // the volume with a snapshot's differences
};

struct LogicalVolume {
  std::string name;
  bool is_visible = false;
  std::vector<Segment> segments;  // in order, without gaps
  std::uint64_t extents() const;
  bool is_thin_pool() const { return segments.size() == 1 && segments[0].type == "thin-pool"; }
};

struct PhysicalVolume {
  std::string name;  // in this text: "pv0"
  std::string uuid;  // without dashes
  std::uint64_t start_sector = 0, extents = 0;
  std::string last_path;  // where it was when the text was written: "/dev/sdb1"; a hint
};

struct Group {
  std::string name, uuid;
  std::uint64_t sequence = 0;  // grows with every change of the metadata
  std::uint64_t extent_sectors = 0;
  std::vector<PhysicalVolume> physical_volumes;
  std::vector<LogicalVolume> logical_volumes;

  std::uint64_t extent_bytes() const { return extent_sectors * 512; }
};

// Error{corrupt} for what breaks the rules: sizes that cannot be, segments that do not follow each other.
Group read_group(const Section& text);

}  // namespace hrvm::volume::lvm
