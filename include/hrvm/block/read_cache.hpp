// A view of a device for small scattered reads: the gap between two is read too, and nothing
// twice while it is kept. Counts what it asks the device for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <list>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "hrvm/block/block_device.hpp"

namespace hrvm::block {

struct ReadCount {
  std::uint64_t reads = 0, bytes = 0;
};

// Reads go through aligned pieces of 32 KiB, of which 256 (8 MiB) are kept, the ones used last. `parent` must outlive
// it, and its bytes must not change meanwhile. In the manner `ahead` that is so of reads of up to 512 KiB, and what
// goes on behind pieces that are kept is read in as many at once, up to 1 MiB: on a spinning disk, or over a network, a
// read takes as long as a MiB. Libraries that take a descriptor read past it, and are not counted.
class ReadCache : public BlockDevice {
 public:
  // Lean: for who reads a device that is cached already, or little of one. What is longer than a piece goes to the
  // device as it is, and nothing is read ahead.
  enum class Manner { ahead, lean };
  explicit ReadCache(BlockDevice& parent, Manner manner = Manner::lean)
      : parent_(parent), reads_ahead_(manner == Manner::ahead) {}

  const ReadCount& count() const { return count_; }

  using BlockDevice::read;
  std::uint64_t size() const override { return parent_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) override;
  Extent extent_at(std::uint64_t offset) override { return parent_.extent_at(offset); }
  StoredExtent stored_at(std::uint64_t offset, std::uint64_t limit) override {
    return parent_.stored_at(offset, limit);
  }
  SectorSizes sector_sizes() const override { return parent_.sector_sizes(); }
  const std::string& name() const override { return parent_.name(); }
  std::optional<RawLocation> raw_location() const override { return parent_.raw_location(); }

 private:
  struct Free {
    void operator()(std::byte* slab) const { std::free(slab); }
  };
  using Slab = std::unique_ptr<std::byte, Free>;  // room for 64 pieces
  struct Piece {
    std::uint64_t offset;
    std::span<std::byte> room;         // in a slab
    std::span<const std::byte> bytes;  // of it; at the device's end less
  };

  void read_through(std::uint64_t offset, std::span<std::byte> out);
  // nullptr for one that is not kept.
  const Piece* find(std::uint64_t offset);
  std::uint64_t bytes_kept_before(std::uint64_t offset) const;
  // Reads and keeps the missing pieces from this one on, as far as they are wanted, or may soon be.
  const Piece& fetch(std::uint64_t offset, std::uint64_t end);
  void keep(std::uint64_t offset, std::span<const std::byte> bytes);

  std::span<std::byte> room_for_piece();

  BlockDevice& parent_;
  bool reads_ahead_;
  ReadCount count_;
  std::vector<Slab> slabs_;  // each of one large page, where the kernel has those
  std::size_t rooms_left_ = 0;
  std::vector<std::byte> fetched_;  // grows, and is not made anew: its pages would be
  std::list<Piece> pieces_;         // used last first
  std::unordered_map<std::uint64_t, std::list<Piece>::iterator> places_;
};

}  // namespace hrvm::block
