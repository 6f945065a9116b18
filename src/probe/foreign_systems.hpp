// Systems whose roots hrvm cannot read, known by what leads to them: by partition types and filesystems, by a BSD's
// label on a disk without a table, and live media by their ISO 9660 volume.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/block/block_device.hpp"
#include "hrvm/probe/partition_table.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::probe {

// One for each kind that has a partition or a filesystem here and was not found by its files. A BSD's partitions count
// on a disk that boots alone: a disk of data has no boot evidence.
std::vector<System> foreign_systems(const Contents& contents);

// The label that BSDs write into the second sector of a disk that they have for themselves (sys/disklabel.h).
bool has_disklabel(block::BlockDevice& disk);
System system_by_disklabel();

// The name of the ISO 9660 volume that fills the disk, also beside a partition table (hybrid images, as they are
// written to sticks). ECMA-119, 8.4. Empty text for one without a name.
std::optional<std::string> iso_volume_name(block::BlockDevice& disk);

}  // namespace hrvm::probe
