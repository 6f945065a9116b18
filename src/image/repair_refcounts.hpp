// Setting refcounts right: in place where their blocks are sound, else in a new table with new blocks.
#pragma once

#include "check_passes.hpp"

namespace hrvm::image {

// Writes what the counts of a pass say into the refcount blocks that are there: every number written is the right one,
// so it may reach the disk in any order. With `lower_only` counts are given back, never raised. False when a count has
// no block it could be written to.
bool correct_refcounts(block::BlockDevice& file, const ImageHeader& header, WritableFile& out, bool lower_only);

// Writes blocks and table for all that is used behind the end of the file, syncs, and makes the header name them by one
// write within its first sector. What the old ones lay in is free then.
void rebuild_refcounts(block::BlockDevice& file, const ImageHeader& header, WritableFile& out);

}  // namespace hrvm::image
