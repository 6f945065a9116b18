// Setting refcounts right: in place where their blocks are sound, else in a new table with new blocks.
#pragma once

#include "image/check/passes.hpp"

namespace hrvm::image {

enum class Correction {
  all,
  lower,           // gives counts back, never raises one
  lower_but_to_1,  // the same where "copied" flags are not set right after it: a count of 1 wants one
};

// Writes what the counts of a pass say into the refcount blocks that are there: every number written is the right one,
// so it may reach the disk in any order. False when a count has no block it could be written to.
bool correct_refcounts(block::BlockDevice& file, const ImageHeader& header, WritableFile& out, Correction correction);

// The usual width of refcounts, or a wider one that can say so much.
unsigned order_for(std::uint64_t most_uses);

// Writes blocks and table for all that is used behind the end of the file, with refcounts of 1 << order bits, syncs,
// and makes the header name them by one write within its first sector. What the old ones lay in is free then.
void rebuild_refcounts(block::BlockDevice& file, const ImageHeader& header, unsigned order, WritableFile& out);

}  // namespace hrvm::image
