// The ladder of buses and firmwares on which a disk is tried when nothing proves what it will boot on.
#pragma once

#include <vector>

#include "hrvm/block/block_device.hpp"
#include "hrvm/launch/boot_judge.hpp"
#include "hrvm/machine/definition.hpp"

namespace hrvm::launch {

struct Rung {
  machine::Bus bus;
  machine::Firmware firmware;
  friend bool operator==(const Rung&, const Rung&) = default;
};

// What the machine has now first, then the other buses, then all of them on the other firmware. What cannot boot a disk
// with such sectors is left out, and UEFI where there is none.
std::vector<Rung> ladder(const machine::Hardware& now, const block::SectorSizes& sectors, bool has_uefi);

// What is left after a try that came as far as `stage`, the most promising first: where the firmware or the loader
// found nothing, the other firmware.
std::vector<Rung> after_failure(std::vector<Rung> left, const Rung& failed, Stage stage);

}  // namespace hrvm::launch
