#include "hrvm/machine/pending_snapshot.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/block/image_lock.hpp"
#include "hrvm/image/disk_image.hpp"
#include "machine/change/change_parts.hpp"

namespace hrvm::machine {
namespace {

bool is_written(const Path& layer) { return block::image_use(layer) == block::ImageUse::write; }

}  // namespace

// It is no step of the log: nothing has been done yet.
Change plan_pending_snapshot(const Machine& machine, const std::string& name, const std::string& description,
                             const Drawn& drawn) {
  check_free_snapshot_name(machine, name);
  check_has_states(machine);
  Change change{.what = fmt::format("snapshot create {}@{}", machine.name, name), .definition = machine.definition};
  const State& active = machine.definition.active;
  add_layers_on(change, drawn.layer_id, active.layer, machine.definition.chain(active).back());
  PendingSnapshot pending{name, drawn.now, description, drawn.layer_id, std::nullopt};
  if (active.nvram) {
    change.nvram_copies.push_back({*active.nvram, drawn.nvram_id});
    pending.nvram = drawn.nvram_id;
  }
  change.definition.pending = std::move(pending);
  return finish_change(std::move(change), machine.definition);
}

Change plan_pending_kept(const Machine& machine, Consistency consistency, const Drawn& drawn,
                         std::optional<SavedMemory> memory) {
  const auto& pending = *machine.definition.pending;
  Change change = begin_change(machine, "snapshot create " + pending.name,
                               fmt::format("snapshot create {}@{}", machine.name, pending.name), drawn);
  Definition& next = change.definition;
  const State before = next.active;
  next.snapshots.push_back({pending.name, before.head, pending.created, pending.description, before.layer,
                            pending.nvram, before.hardware, consistency, pending.is_auto});
  next.snapshots.back().memory = std::move(memory);
  next.active.layer = pending.layer;
  next.active.head = pending.name;
  if (pending.is_auto) mark_automatic(change);
  next.pending.reset();
  return finish_change(std::move(change), machine.definition);
}

Change plan_pending_dropped(const Machine& machine) {
  const auto& name = machine.definition.pending->name;
  Change change{.what = fmt::format("snapshot create {}@{}, taken back", machine.name, name),
                .definition = machine.definition};
  change.definition.pending.reset();
  return finish_change(std::move(change), machine.definition);
}

std::vector<PendingLook> look_at_pending(const Machine& machine) {
  const auto& definition = machine.definition;
  std::vector<PendingLook> disks;
  for (std::size_t disk = 0; disk < definition.disks.size(); ++disk) {
    const auto pending = machine.layer_path(definition.pending->layer, disk);
    disks.push_back({is_written(machine.layer_path(definition.active.layer, disk)), is_written(pending),
                     image::stores_nothing(pending)});
  }
  return disks;
}

std::optional<Recovery> recovery_of(const std::vector<PendingLook>& disks) {
  const auto all_are = [&](auto member) { return std::ranges::all_of(disks, member); };
  const bool are_empty = all_are(&PendingLook::pending_is_empty);
  if (all_are(&PendingLook::active_is_written)) return are_empty ? std::optional(Recovery::back) : std::nullopt;
  if (std::ranges::any_of(disks, &PendingLook::active_is_written)) return std::nullopt;
  const bool is_any_written = std::ranges::any_of(disks, &PendingLook::pending_is_written);
  return is_any_written || !are_empty ? Recovery::forward : Recovery::back;
}

}  // namespace hrvm::machine
