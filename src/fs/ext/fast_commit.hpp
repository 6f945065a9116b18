// Fast commits: what happened since the last transaction, told by its meaning and not by the blocks that it changes.
#pragma once

#include "fs/ext/journal_super.hpp"

namespace hrvm::fs::ext {

// Whether there are some on top of the transactions before `sequence`. Error{corrupt} where the kernel would refuse to
// recover.
bool has_fast_commits(JournalBlocks& blocks, const JournalLayout& layout, std::uint32_t sequence);

}  // namespace hrvm::fs::ext
