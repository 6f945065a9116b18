// Fast commits, made into what is shown of the files that they tell of.
//
// Each record is taken as the kernel takes it when it mounts, in what follows from that too: a folder that was made has
// one link and one block, its parent does not count it, and a record of a file that is not in use is passed over. Left
// out is what a mount would only then make up: the time at which a folder changed, and the blocks by which it grew.
#pragma once

#include "fs/ext/volume.hpp"

namespace hrvm::fs::ext {

// `records` as read_fast_commits() gives them. Changes volume.changes(), which is no state to be shown after an error:
// Error{corrupt} where the kernel would refuse to mount, Error{unsupported} for what it makes something else of than
// was meant (files without extents), and where looking up the names would take too long.
void replay_fast_commits(Volume& volume, std::span<const std::byte> records);

}  // namespace hrvm::fs::ext
