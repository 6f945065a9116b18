// What a disk is to hold: the bytes of another, as far as it has room for them, with other ones in some places, and
// zeros behind their end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hrvm/block/block_device.hpp"

namespace hrvm::block {

struct Patch {
  std::uint64_t offset = 0;
  std::vector<std::byte> bytes;
};

class PatchedDevice : public BlockDevice {
 public:
  // `parent` must outlive it. Of patches that overlap the last counts; none leaves [0, size).
  PatchedDevice(BlockDevice& parent, std::uint64_t size, std::vector<Patch> patches)
      : parent_(parent), size_(size), patches_(std::move(patches)) {}

  using BlockDevice::read;
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> out) override;
  Extent extent_at(std::uint64_t offset) override { return stored_at(offset, size_).extent; }
  StoredExtent stored_at(std::uint64_t offset, std::uint64_t limit) override;
  SectorSizes sector_sizes() const override { return parent_.sector_sizes(); }
  const std::string& name() const override { return parent_.name(); }

 private:
  BlockDevice& parent_;
  std::uint64_t size_;
  std::vector<Patch> patches_;
};

}  // namespace hrvm::block
