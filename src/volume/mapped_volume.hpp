// A block device put together of pieces of others, as device-mapper's linear and striped targets do it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hrvm/block/block_device.hpp"

namespace hrvm::volume {

// [start, start + length) of the volume. With several areas its bytes go round them in stripes.
struct MappedSegment {
  struct Area {
    block::BlockDevice* device = nullptr;  // null: zeros
    std::uint64_t offset = 0;
  };
  std::uint64_t start = 0, length = 0;
  std::uint64_t stripe_bytes = 0;  // with one area: of no meaning
  std::vector<Area> areas;         // never empty
};

class MappedVolume : public block::BlockDevice {
 public:
  // The segments follow each other from 0 on. The devices in them must outlive this. Areas that leave their device are
  // noticed when they are read.
  MappedVolume(std::vector<MappedSegment> segments, std::string name, block::SectorSizes sectors);

  using BlockDevice::read;
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> out) override;
  block::Extent extent_at(std::uint64_t offset) override;
  block::StoredExtent stored_at(std::uint64_t offset, std::uint64_t limit) override;
  block::SectorSizes sector_sizes() const override { return sectors_; }
  const std::string& name() const override { return name_; }
  std::optional<RawLocation> raw_location() const override;

 private:
  struct Piece {
    block::BlockDevice* device;
    std::uint64_t offset, length;
  };
  Piece piece_at(std::uint64_t offset, std::uint64_t longest) const;

  std::vector<MappedSegment> segments_;
  std::uint64_t size_ = 0;
  std::string name_;
  block::SectorSizes sectors_;
};

}  // namespace hrvm::volume
