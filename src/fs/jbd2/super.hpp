// What a journal's superblock says of its log.
#pragma once

#include "fs/jbd2/blocks.hpp"
#include "fs/jbd2/format.hpp"

namespace hrvm::fs::jbd2 {

struct JournalLayout {
  std::uint32_t first = 0, end = 0;       // the ring: blocks [first, end)
  std::uint32_t start = 0, sequence = 0;  // of the oldest transaction; start 0: there is none
  // Fast commits: blocks [fast_first, fast_end); as many as none where there are no such.
  std::uint32_t fast_first = 0, fast_end = 0;

  bool has_64_bit = false, has_async_commit = false;
  bool has_transaction_checksum = false;                // of version 1: one of all blocks of a transaction
  bool has_checksum_2 = false, has_checksum_3 = false;  // of each block
  std::uint32_t checksum_seed = 0;

  bool has_block_checksums() const { return has_checksum_2 || has_checksum_3; }
  std::size_t tail_bytes() const { return has_block_checksums() ? sizeof(BlockTail) : 0; }
  std::size_t tag_bytes() const;
  std::uint32_t ring_blocks() const { return end - first; }
  std::uint32_t after(std::uint32_t block) const { return block + 1 == end ? first : block + 1; }
};

// Error{corrupt} where the kernel refuses it, Error{unsupported} for features that are not known.
JournalLayout read_journal_layout(JournalBlocks& blocks);

}  // namespace hrvm::fs::jbd2
