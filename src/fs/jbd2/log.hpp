// The transactions in a journal's log: which of them are whole, what they write and what they revoke.
#pragma once

#include <optional>

#include "fs/jbd2/super.hpp"

namespace hrvm::fs::jbd2 {

// Sequence numbers go round.
inline bool is_before(std::uint32_t a, std::uint32_t b) { return std::int32_t(a - b) < 0; }

// A block that a transaction writes.
struct LoggedBlock {
  std::uint64_t block = 0;      // of the filesystem
  std::uint32_t log_block = 0;  // of the journal, where it lies
  std::uint32_t sequence = 0;   // of its transaction
  std::uint32_t checksum = 0;
  bool is_escaped = false;
};

struct RevokeBlock {
  std::uint32_t log_block = 0, sequence = 0;
};

struct LogContents {
  std::uint32_t end = 0;             // sequence of the first transaction that is not whole
  std::vector<LoggedBlock> blocks;   // in the order of the log, of whole transactions
  std::vector<RevokeBlock> revokes;  // the same
};

// Error{corrupt} where the kernel would refuse to recover.
LogContents scan_log(JournalBlocks& blocks, const JournalLayout& layout);

}  // namespace hrvm::fs::jbd2
