// Systems whose roots hrvm cannot read, known by what leads to them: the BSDs by their partition types, and live media
// by their ISO 9660 volume.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/block/block_device.hpp"
#include "hrvm/probe/partition_table.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::probe {

// One for each kind of BSD that has a partition here, on a disk that boots: a disk of data has no boot evidence.
std::vector<System> foreign_systems(const PartitionTable& table, const BootEvidence& boot);

// The name of the ISO 9660 volume that fills the disk, also beside a partition table (hybrid images, as they are
// written to sticks). ECMA-119, 8.4. Empty text for one without a name.
std::optional<std::string> iso_volume_name(block::BlockDevice& disk);

}  // namespace hrvm::probe
