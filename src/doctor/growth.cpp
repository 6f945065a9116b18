// What each machine's changes take, and whether the space that is left lets them grow.
#include <fmt/core.h>

#include "doctor/checks.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/mounts.hpp"

namespace hrvm::doctor {
bool is_tight(const Growth& growth) {
  return growth.free_bytes < growth.room_bytes && growth.free_bytes < growth.allocated_bytes;
}

static Growth growth_of(const sys::Host& host, const machine::Machine& machine) {
  Growth growth{.free_bytes = host.space(machine.folder).available_bytes};
  for (const auto& file : machine.definition.files()) {
    growth.allocated_bytes += sys::status(machine.folder / file).allocated_bytes;
  }
  for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk) {
    const auto active = sys::status(machine.layer_path(machine.definition.active.layer, disk)).allocated_bytes;
    const auto whole = machine.definition.disks[disk].size_bytes;
    growth.room_bytes += whole > active ? whole - active : 0;
  }
  return growth;
}

static Results examine(const sys::Host& host, const machine::Machine& machine) {
  const auto growth = growth_of(host, machine);
  if (!is_tight(growth)) return {};
  return {{"growth", Status::warning,
           fmt::format("{}: its changes take {} and may grow by {}; {} are free", machine.name,
                       base::format_bytes(growth.allocated_bytes), base::format_bytes(growth.room_bytes),
                       base::format_bytes(growth.free_bytes)),
           fmt::format("hrvm reset {0} --discard   (throws its changes away), or hrvm export {0} FILE first",
                       machine.name)}};
}

Results check_growth(const Circumstances& at) {
  const auto of_machine = [&](const machine::Machine& machine) { return examine(at.host, machine); };
  return or_ok("growth", for_each_machine(at, "growth", of_machine), "there is room for every machine to grow");
}

}  // namespace hrvm::doctor
