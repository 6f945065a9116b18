// What a mount would do first with a filesystem that was not closed: replay its journal, here in memory.
//
// Then a mount works off the orphans, inodes that were being deleted or cut when the system went down. Readers need
// not: those without a name are not met, and a file that was being cut has its new size already, so that what still
// lies behind it is not read. A mount dates such a file anew; here it bears its own date.
#pragma once

#include <memory>

#include "fs/ext/volume.hpp"
#include "fs/jbd2/journal.hpp"

namespace hrvm::fs::ext {

struct Recovered {
  bool was_needed = false;  // the filesystem was not closed
  JournalState journal = JournalState::clean;
  std::string why;                               // of `ignored`
  std::unique_ptr<block::BlockOverlay> overlay;  // null where nothing changes
  std::unique_ptr<Volume> volume;                // on the overlay, where there is one

  // Where bytes that the volume reads at `offset` lie on the device that is below.
  block::BlockOverlay::Place place_of(std::uint64_t offset, std::uint64_t limit) const {
    return overlay ? overlay->place_of(offset, limit) : block::BlockOverlay::Place{limit, offset};
  }
};

// As Volume on this device, which must outlive it. Reads the superblock alone where the filesystem was closed.
Recovered recover(block::BlockDevice& device);

}  // namespace hrvm::fs::ext
