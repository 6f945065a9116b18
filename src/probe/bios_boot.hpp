// Whether a BIOS starts something from this disk, judged from the bytes that it would run.
#pragma once

#include <string>

#include "hrvm/block/block_device.hpp"
#include "hrvm/probe/partition_table.hpp"

namespace hrvm::probe {

struct BiosVerdict {
  bool boots = false;
  std::string reason;  // "boot code in sector 0 and a BIOS boot partition (p1)"
};

BiosVerdict judge_bios_boot(block::BlockDevice& disk, const PartitionTable& table);

}  // namespace hrvm::probe
