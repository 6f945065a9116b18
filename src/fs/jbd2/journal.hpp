// What a journal (jbd2) that was not written back makes of a filesystem, found without writing to it. The log is read
// as the kernel's recovery reads it: it ends where that one ends, and where that one would refuse the mount, nothing is
// replayed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hrvm/block/block_overlay.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs::jbd2 {

// 32 times what mke2fs makes of itself; a journal of more is ignored. Each block may cost 40 bytes of memory.
inline constexpr std::uint64_t most_journal_blocks = 8 * 262'144;

// Blocks of the device, one behind the other.
struct JournalExtent {
  std::uint64_t first = 0, blocks = 0;
};

struct JournalPlace {
  std::uint32_t block_bytes = 0;        // of the filesystem: a power of two, 1024 to 65536
  std::uint64_t filesystem_blocks = 0;  // no block beyond can belong to it
  std::vector<JournalExtent> extents;   // of the journal, in its order, up to the first hole
};

struct Replay {
  JournalState state = JournalState::clean;
  std::string why;           // of `ignored`
  block::NewerBlocks newer;  // in blocks of the filesystem
  // What the fast commits tell on top of that, as read_fast_commits() gives it: fast_replay.hpp makes files of it.
  std::vector<std::byte> fast_commits;
};

// Throws nothing for what lies on the device: a journal that cannot be read is ignored.
Replay replay_journal(block::BlockDevice& device, const JournalPlace& place);

}  // namespace hrvm::fs::jbd2
