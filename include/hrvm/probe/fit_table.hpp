// A partition table made fit for a disk of another size than the one that it was written for: what has to stand
// elsewhere on it. A DOS table says nothing of the disk's end. A GPT (UEFI 2.10, section 5.3) has its second copy in
// the last sectors, and both headers tell where; the protective MBR tells the disk's size.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/block/block_device.hpp"
#include "hrvm/block/mark.hpp"
#include "hrvm/block/patched_device.hpp"

namespace hrvm::probe {

struct TableFit {
  std::optional<std::string> obstacle = {};    // why the disk cannot take it, as a sentence
  std::vector<block::Patch> patches = {};      // on the disk, in place of what the source has there
  std::vector<block::Region> to_be_zero = {};  // of the source: what the disk has no room for, in no partition
  std::string note = {};                       // what is left as it was, and why; empty for nothing
};

// `source` onto a disk of this size, whose sectors are of so many bytes. Without patches where source and disk end at
// the same sector and both copies are sound. Of copies that differ the primary counts, and a damaged one is written
// anew.
TableFit fit_table(block::BlockDevice& source, std::uint64_t disk_bytes, std::uint32_t sector_bytes);
// The same by a confined child. What it answers lies within the disk. Error{corrupt} where it dies.
TableFit fit_table_confined(block::BlockDevice& source, std::uint64_t disk_bytes, std::uint32_t sector_bytes);

}  // namespace hrvm::probe
