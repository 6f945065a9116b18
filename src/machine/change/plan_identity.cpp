#include <fmt/core.h>

#include "machine/change/change_parts.hpp"

namespace hrvm::machine {

Change plan_identity(const Machine& machine, const base::Guid& uuid, const std::string& mac, const Drawn& drawn) {
  Change change =
      begin_change(machine, "another identity", fmt::format("give {} an identity of its own", machine.name), drawn);
  Definition& next = change.definition;
  next.uuid = uuid;
  next.folder_inode = 0;
  next.active.hardware.mac = mac;
  for (auto& snapshot : next.snapshots) snapshot.hardware.mac = mac;
  for (auto& step : next.log) {
    if (step.held) step.held->hardware.mac = mac;
    for (auto& snapshot : step.deleted) snapshot.hardware.mac = mac;
  }
  return finish_change(std::move(change), machine.definition);
}

}  // namespace hrvm::machine
