// A view of a device of which some blocks show newer bytes, and those lie elsewhere on the same device: a filesystem as
// it will be once its journal is written back. Nothing is copied; a block costs 16 bytes of memory.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "hrvm/block/block_device.hpp"
#include "hrvm/block/ranges.hpp"

namespace hrvm::block {

// Numbers of blocks of one device: `block` shows the bytes of `source`.
struct MovedBlock {
  std::uint64_t block = 0, source = 0;
  friend bool operator==(const MovedBlock&, const MovedBlock&) = default;
};

struct NewerBlocks {
  std::vector<MovedBlock> moved;                          // in any order; of those of one block the last counts
  std::map<std::uint64_t, std::vector<std::byte>> heads;  // by block: what stands in place of its first bytes

  bool empty() const { return moved.empty() && heads.empty(); }
};

// As long as its parent, which must outlive it. Blocks that do not lie wholly in it are left out.
class BlockOverlay : public BlockDevice {
 public:
  BlockOverlay(BlockDevice& parent, std::uint32_t block_bytes, NewerBlocks newer);

  // Where what is shown lies on the parent, at most `limit` (> 0) bytes that lie together.
  struct Place {
    std::uint64_t length = 0, offset = 0;
    bool is_whole = true;  // false: other bytes stand in place of some of them
  };
  Place place_of(std::uint64_t offset, std::uint64_t limit) const;

  // The blocks that show newer bytes.
  std::vector<ByteRange> newer() const;

  using BlockDevice::read;
  std::uint64_t size() const override { return parent_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) override;
  Extent extent_at(std::uint64_t offset) override;
  StoredExtent stored_at(std::uint64_t offset, std::uint64_t limit) override;
  SectorSizes sector_sizes() const override { return parent_.sector_sizes(); }
  const std::string& name() const override { return parent_.name(); }

 private:
  // Bytes that lie in one piece.
  struct Run {
    std::uint64_t length = 0, source = 0;
    const std::vector<std::byte>* head = nullptr;  // of the block that this run is part of
  };

  Run run_at(std::uint64_t offset) const;
  Run moved_run(std::size_t index, std::uint64_t offset) const;
  bool is_in(std::uint64_t block) const { return block < parent_.size() / block_bytes_; }

  BlockDevice& parent_;
  std::uint64_t block_bytes_;
  std::vector<MovedBlock> moved_;  // by block; those with a head are among them
  std::map<std::uint64_t, std::vector<std::byte>> heads_;
};

}  // namespace hrvm::block
