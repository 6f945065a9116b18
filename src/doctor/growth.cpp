// What each machine's changes take, and whether the space that is left lets them grow.
#include <fmt/core.h>

#include "doctor/checks.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/mounts.hpp"

namespace hrvm::doctor {
namespace {

struct Growth {
  std::uint64_t allocated_bytes = 0;  // of all layers
  std::uint64_t room_bytes = 0;       // what the active layer can still take: the disk's size less what it has
};

Growth growth_of(const machine::Machine& machine) {
  Growth growth;
  for (const auto& file : machine.definition.files()) {
    growth.allocated_bytes += sys::status(machine.folder / file).allocated_bytes;
  }
  const auto active = sys::status(machine.active_layer()).allocated_bytes;
  const auto whole = machine.definition.base.size_bytes;
  growth.room_bytes = whole > active ? whole - active : 0;
  return growth;
}

// A machine that has grown by more than what is left may do so again.
Results examine(const machine::Machine& machine) {
  const auto growth = growth_of(machine);
  const auto free = sys::space(machine.folder).available_bytes;
  if (free >= growth.room_bytes || free >= growth.allocated_bytes) return {};
  return {{"growth", Status::warning,
           fmt::format("{}: its changes take {} and may grow by {}; {} are free", machine.name,
                       base::format_bytes(growth.allocated_bytes), base::format_bytes(growth.room_bytes),
                       base::format_bytes(free)),
           fmt::format("hrvm reset {0} --discard   (throws its changes away), or hrvm export {0} FILE first",
                       machine.name)}};
}

}  // namespace

Results check_growth(const Circumstances& at) {
  return or_ok("growth", for_each_machine(at, "growth", examine), "there is room for every machine to grow");
}

}  // namespace hrvm::doctor
