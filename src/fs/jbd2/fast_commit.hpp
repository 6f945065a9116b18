// Fast commits: what happened since the last transaction, by its meaning and not by the blocks that it changes.
#pragma once

#include "fs/jbd2/super.hpp"

namespace hrvm::fs::jbd2 {

// Sixteen times what mke2fs gives them in a journal of 128 MiB.
inline constexpr std::size_t most_fast_commit_bytes = 32 << 20;

// The records on top of the transactions before `sequence`, each with its FastCommitRecord before it, up to the last
// tail that is sound; empty where there is none. Each is as long as its type asks. Error{corrupt} where the kernel
// would refuse to recover, Error{unsupported} where there are too many bytes of them.
std::vector<std::byte> read_fast_commits(JournalBlocks& blocks, const JournalLayout& layout, std::uint32_t sequence);

}  // namespace hrvm::fs::jbd2
