// A device with newer bytes in some of its sectors, which are kept in memory: a filesystem as its log will make it.
#pragma once

#include <array>
#include <map>

#include "hrvm/block/block_device.hpp"

namespace hrvm::fs::xfs {

class PatchedDevice : public block::BlockDevice {
 public:
  // `parent` must outlive it. Takes at most 128 MiB for newer sectors.
  explicit PatchedDevice(block::BlockDevice& parent) : parent_(parent) {}

  // Error{corrupt} for what leaves the device, {unsupported} beyond what it may take.
  void write(std::uint64_t offset, std::span<const std::byte> bytes);

  using BlockDevice::read;
  std::uint64_t size() const override { return parent_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) override;
  block::Extent extent_at(std::uint64_t offset) override;
  block::StoredExtent stored_at(std::uint64_t offset, std::uint64_t limit) override;
  block::SectorSizes sector_sizes() const override { return parent_.sector_sizes(); }
  const std::string& name() const override { return parent_.name(); }

 private:
  static constexpr std::uint64_t unit = 512;
  using Sector = std::array<std::byte, unit>;

  Sector& sector_at(std::uint64_t offset);
  std::uint64_t until_newer(std::uint64_t offset) const;  // bytes from there on that are as they were

  block::BlockDevice& parent_;
  std::map<std::uint64_t, Sector> newer_;  // by offset
};

}  // namespace hrvm::fs::xfs
