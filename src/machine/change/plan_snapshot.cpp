#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "machine/change/change_parts.hpp"

namespace hrvm::machine {

Change plan_snapshot_create(const Machine& machine, const std::string& name, const std::string& description,
                            const Drawn& drawn) {
  check_free_snapshot_name(machine, name);
  check_has_states(machine);
  Change change =
      begin_change(machine, "snapshot create " + name, fmt::format("snapshot create {}@{}", machine.name, name), drawn);
  Definition& next = change.definition;
  const State frozen = next.active;
  next.snapshots.push_back({name, frozen.head, drawn.now, description, frozen.layer, frozen.nvram, frozen.hardware});
  next.active = state_on_new_layer(change, name, frozen.hardware, frozen.nvram, drawn);
  return finish_change(std::move(change), machine.definition);
}

Change plan_snapshot_revert(const Machine& machine, const std::string& name, bool discard, const Drawn& drawn) {
  const Snapshot& snapshot = snapshot_of(machine, name);
  Change change =
      begin_change(machine, "snapshot revert " + name, fmt::format("snapshot revert {}@{}", machine.name, name), drawn);
  Definition& next = change.definition;
  const State before = next.active;
  next.active = state_on_new_layer(change, name, snapshot.hardware, snapshot.nvram, drawn);
  discard ? hold_nothing(change) : hold_active(change, before, drawn);
  return finish_change(std::move(change), machine.definition);
}

Change plan_snapshot_rename(const Machine& machine, const std::string& name, const std::string& new_name,
                            const Drawn& drawn) {
  snapshot_of(machine, name);
  check_free_snapshot_name(machine, new_name);
  Change change = begin_change(machine, fmt::format("snapshot rename {} {}", name, new_name),
                               fmt::format("snapshot rename {}@{} {}", machine.name, name, new_name), drawn);
  Definition& next = change.definition;
  rename_node(next, name, new_name);
  std::ranges::find(next.snapshots, new_name, &Snapshot::name)->is_auto = false;  // who names it wants to keep it
  return finish_change(std::move(change), machine.definition);
}

Change plan_snapshot_describe(const Machine& machine, const std::string& name, const std::string& description,
                              const Drawn& drawn) {
  snapshot_of(machine, name);
  Change change = begin_change(machine, "snapshot describe " + name,
                               fmt::format("snapshot describe {}@{}", machine.name, name), drawn);
  auto& snapshots = change.definition.snapshots;
  std::ranges::find(snapshots, name, &Snapshot::name)->description = description;
  return finish_change(std::move(change), machine.definition);
}

}  // namespace hrvm::machine
