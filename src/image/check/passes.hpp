// The passes of a check over an image file, and what comes of them: the core that checking and repairing share.
#pragma once

#include <functional>

#include "image/check/walk.hpp"

namespace hrvm::image {

struct Examination {
  CheckResult result;
  bool needs_rebuild = false;          // refcount blocks are lost or used by others
  std::string lost_sight_of;           // what clusters that may be in use hang on; empty: all was seen
  bool has_damaged_snapshots = false;  // whose descriptions can be put right
  std::uint64_t wrong_counts = 0;      // too low, or in blocks that cannot be trusted
  std::uint64_t most_uses = 0;         // of one cluster, where that is more than a refcount can say; else 0
};

// Called when the counts of a pass are complete; what it is given is all there is of these clusters.
using AfterPass = std::function<void(const CheckWalk&, const ReferenceCounts&)>;

// Walks as often as it takes. Where counts need more memory than there is, all is done anew in smaller passes: what the
// task and `after_pass` do must bear being done twice.
Examination run_passes(block::BlockDevice& file, const ImageHeader& header, const WalkTask& task = {},
                       const AfterPass& after_pass = {}, std::uint64_t page_bytes = ReferenceCounts::usual_page_bytes);

// The same in a confined process of its own, which only reads. Error{corrupt} when the image breaks it.
Examination examine_confined(block::BlockDevice& file, const sys::ProgressCallback& progress);

}  // namespace hrvm::image
