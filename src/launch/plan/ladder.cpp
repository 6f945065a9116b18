#include "hrvm/launch/ladder.hpp"

#include <algorithm>
#include <array>

namespace hrvm::launch {

namespace {

using machine::Bus;
using machine::Firmware;

constexpr std::array buses{Bus::virtio, Bus::sata, Bus::nvme, Bus::scsi, Bus::ide};

bool can_boot(const Rung& rung, const block::SectorSizes& sectors, bool has_uefi) {
  if (rung.firmware == Firmware::uefi && (!has_uefi || rung.bus == Bus::ide)) return false;
  const bool large_sectors = sectors.logical_bytes != 512;
  return !large_sectors || (rung.firmware == Firmware::uefi && rung.bus != Bus::sata);
}

}  // namespace

std::vector<Rung> ladder(const machine::Hardware& now, const block::SectorSizes& sectors, bool has_uefi) {
  const auto other = now.firmware == Firmware::uefi ? Firmware::bios : Firmware::uefi;
  std::vector<Rung> rungs;
  const auto add = [&](const Rung& rung) {
    const bool known = std::ranges::find(rungs, rung) != rungs.end();
    if (!known && can_boot(rung, sectors, has_uefi)) rungs.push_back(rung);
  };
  for (const auto firmware : {now.firmware, other}) {
    add({now.bus, firmware});
    for (const auto bus : buses) add({bus, firmware});
  }
  return rungs;
}

std::vector<Rung> after_failure(std::vector<Rung> left, const Rung& failed, Stage stage) {
  const bool wants_other_firmware = stage == Stage::firmware || stage == Stage::loader;
  const auto comes_first = [&](const Rung& rung) { return (rung.firmware != failed.firmware) == wants_other_firmware; };
  std::stable_partition(left.begin(), left.end(), comes_first);
  return left;
}

}  // namespace hrvm::launch
