// A thin pool, read: which block of its data holds a block of one of its volumes.
//
// Memory: a cache of tree nodes of at most 4 MiB.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/block/block_device.hpp"

namespace hrvm::volume {

class ThinPool {
 public:
  // The two must outlive this. Error{corrupt} where the metadata are none, or are damaged; {unsupported} for a version
  // that is not known.
  ThinPool(block::BlockDevice& metadata, block::BlockDevice& data);

  std::uint64_t block_bytes() const { return block_bytes_; }
  block::BlockDevice& data() const { return data_; }

  // The root of a volume's tree; nullopt where the pool knows no such volume. Error{corrupt} where the trees are
  // damaged.
  std::optional<std::uint64_t> root_of(std::uint64_t device_id);

  // A run of blocks of a volume: stored one after the other from `data_block` on, or not at all.
  struct Run {
    std::uint64_t blocks = 0;  // 0: nothing is stored from here to the end
    std::optional<std::uint64_t> data_block;
  };
  Run find(std::uint64_t root, std::uint64_t block);

 private:
  using Block = std::vector<std::byte>;
  // The entry of a tree that bears `key`, and where the next one can be.
  struct Entry {
    bool is_there = false;
    std::uint64_t value = 0;
    std::uint64_t run = 1;               // so many keys follow each other here with values that do, too
    std::optional<std::uint64_t> bound;  // no other key lies before it; nullopt: none follows
  };
  Entry look_up(std::uint64_t root, std::uint64_t key);
  const Block& node(std::uint64_t number);

  block::BlockDevice& metadata_;
  block::BlockDevice& data_;
  std::uint64_t mapping_root_ = 0, block_bytes_ = 0;
  std::map<std::uint64_t, Block> cache_;
};

// A volume of the pool. What is not stored reads as zeros.
class ThinVolume : public block::BlockDevice {
 public:
  ThinVolume(ThinPool& pool, std::uint64_t root, std::uint64_t bytes, std::string name)
      : pool_(pool), root_(root), size_(bytes), name_(std::move(name)) {}

  using BlockDevice::read;
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> out) override;
  block::Extent extent_at(std::uint64_t offset) override;
  block::StoredExtent stored_at(std::uint64_t offset, std::uint64_t limit) override;
  const std::string& name() const override { return name_; }

 private:
  struct Piece {
    std::uint64_t length;
    std::optional<std::uint64_t> data_offset;  // nullopt: zeros
  };
  Piece piece_at(std::uint64_t offset);

  ThinPool& pool_;
  std::uint64_t root_, size_;
  std::string name_;
};

}  // namespace hrvm::volume
