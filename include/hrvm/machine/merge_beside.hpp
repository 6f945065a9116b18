// Merging layers that are read meanwhile: by the QEMU of a machine that runs, or by a machine that has them as well.
//
// The child is written anew beside, with what it needs of the parent, and takes the child's name by one rename for each
// disk. Whoever has the old file open reads on in that, and sees the same; neither it nor the parent is written to.
#pragma once

#include <cstdint>
#include <string>

#include "hrvm/machine/change.hpp"

namespace hrvm::machine {

// Nothing is committed: as after a merge that was cut off, the child's headers name what lies below the parent, and
// apply() of the same change does the rest. Cut off before the first rename it leaves garbage alone, and nothing where
// it throws. `id` is drawn for it. The caller holds the machine's lock; on a folder there is no such merge.
void merge_beside(const Machine& machine, const LayerMerge& merge, const std::string& id,
                  const sys::ProgressCallback& progress);

// The same of one file, for who has noted that its layer is being merged. `beside` is a name that is free.
void merge_file_beside(const Path& parent, const Path& child, const Path& beside,
                       const sys::ProgressCallback& progress);

// What it takes of the store at most, until the old files go.
std::uint64_t bytes_of_merge_beside(const Machine& machine, const LayerMerge& merge);

}  // namespace hrvm::machine
