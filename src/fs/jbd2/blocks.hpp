// The blocks of a journal by their numbers in it, read in their order with some of what follows.
#pragma once

#include "fs/jbd2/journal.hpp"

namespace hrvm::fs::jbd2 {

class JournalBlocks {
 public:
  JournalBlocks(block::BlockDevice& device, const JournalPlace& place);

  std::uint64_t count() const { return count_; }
  std::uint32_t block_bytes() const { return block_bytes_; }
  // Where it lies on the device. Error{corrupt} from count() on.
  std::uint64_t place_of(std::uint64_t block) const { return find(block).first; }
  // Valid until the next call.
  std::span<const std::byte> read(std::uint64_t block);

 private:
  struct Piece {
    std::uint64_t block = 0;  // of the journal
    JournalExtent extent;
  };

  JournalExtent find(std::uint64_t block) const;

  block::BlockDevice& device_;
  std::uint32_t block_bytes_;
  std::uint64_t count_ = 0;
  std::vector<Piece> pieces_;
  std::uint64_t window_start_ = 0;  // block of the journal
  std::vector<std::byte> window_;
};

}  // namespace hrvm::fs::jbd2
