// A view of a device for small scattered reads: the gap between two is read too, and nothing
// twice while it is kept. Counts what it asks the device for.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>

#include "hrvm/block/block_device.hpp"

namespace hrvm::block {

struct ReadCount {
  std::uint64_t reads = 0, bytes = 0;
};

// Reads of up to 512 KiB go through aligned pieces of 32 KiB, of which 256 (8 MiB) are kept, the ones used last; longer
// ones go to the device as they are. Who reads piece after piece gets ever more at once, up to 1 MiB: on a spinning
// disk, or over a network, each read waits. `parent` must outlive it, and its bytes must not change meanwhile.
// Libraries that take a descriptor read past it, and are not counted.
class ReadCache : public BlockDevice {
 public:
  explicit ReadCache(BlockDevice& parent) : parent_(parent) {}

  const ReadCount& count() const { return count_; }

  using BlockDevice::read;
  std::uint64_t size() const override { return parent_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) override;
  Extent extent_at(std::uint64_t offset) override { return parent_.extent_at(offset); }
  SectorSizes sector_sizes() const override { return parent_.sector_sizes(); }
  const std::string& name() const override { return parent_.name(); }
  std::optional<RawLocation> raw_location() const override { return parent_.raw_location(); }

 private:
  struct Piece {
    std::uint64_t offset;
    std::vector<std::byte> bytes;
  };

  void read_through(std::uint64_t offset, std::span<std::byte> out);
  // nullptr for one that is not kept.
  const Piece* find(std::uint64_t offset);
  std::uint64_t bytes_kept_before(std::uint64_t offset) const;
  // Reads and keeps the missing pieces from this one on, as far as they are wanted, or may soon be.
  const Piece& fetch(std::uint64_t offset, std::uint64_t end);
  void keep(std::uint64_t offset, std::span<const std::byte> bytes);

  BlockDevice& parent_;
  ReadCount count_;
  std::list<Piece> pieces_;  // used last first
  std::unordered_map<std::uint64_t, std::list<Piece>::iterator> places_;
};

}  // namespace hrvm::block
