// Disks with 4096-byte sectors. BIOS cannot read those that also count in 4096; where only the medium does, some
// loaders hang in BIOS ("Booting from Hard Disk..." at full load) and boot by UEFI.
#include <fmt/core.h>

#include "doctor/checks.hpp"

namespace hrvm::doctor {

static Results examine(const machine::Machine& machine) {
  const auto& sectors = machine.definition.disks.front().sectors;
  if (machine.definition.active.hardware.firmware == machine::Firmware::uefi) return {};
  const auto remedy = fmt::format("hrvm boot {} --firmware uefi", machine.name);
  if (sectors.logical_bytes == 4096) {
    return {{"sectors", Status::error,
             fmt::format("{} boots by BIOS, which cannot read a disk with 4096-byte sectors", machine.name), remedy}};
  }
  if (sectors.physical_bytes == 4096) {
    return {{"sectors", Status::warning,
             fmt::format("{} boots by BIOS from a disk with 4096-byte physical sectors, at which some loaders hang",
                         machine.name),
             remedy}};
  }
  return {};
}

Results check_sectors(const Circumstances& at) {
  return or_ok("sectors", for_each_machine(at, "sectors", examine),
               "every machine's firmware suits its disk's sectors");
}

}  // namespace hrvm::doctor
