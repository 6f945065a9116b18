#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "hrvm/base/byte_size.hpp"
#include "machine/change/change_parts.hpp"

namespace hrvm::machine {

// Snapshots and what is held keep layers of the size that it had.
static void take_size(Change& change, BaseIdentity& disk, std::uint64_t bytes) {
  if (disk.size_bytes == bytes) return;
  change.warnings.push_back(fmt::format("{} has {} now and had {}: the new layer is of its size", disk.path,
                                        base::format_bytes(bytes), base::format_bytes(disk.size_bytes)));
  disk.size_bytes = bytes;
}

static bool is_as_it_was(const Fingerprint& then, const Fingerprint& now) {
  return std::ranges::all_of(compare(then, now), &MarkComparison::same) && touches(compare_traces(then, now)).empty();
}

// A hash of what a disk was is none of what the new layer lies on.
static void forget_hashes(Change& change) {
  for (auto& disk : change.definition.disks)
    if (!std::exchange(disk.sha256, "").empty())
      change.warnings.push_back(
          fmt::format("{} may have changed since its SHA-256 was taken, which is forgotten; "
                      "hrvm verify --full --record takes it anew",
                      disk.path));
}

Change plan_reset(const Machine& machine, const ResetRequest& request, const Drawn& drawn) {
  check_has_states(machine);
  Change change = begin_change(machine, "reset", "reset " + machine.name, drawn);
  Definition& next = change.definition;
  const State before = next.active;
  for (std::size_t disk = 0; disk < request.disk_bytes.size(); ++disk)
    take_size(change, next.disks[disk], request.disk_bytes[disk]);
  next.active = state_on_new_layer(change, std::nullopt, before.hardware,
                                   request.keep_nvram ? before.nvram : std::nullopt, drawn);
  request.discard ? hold_nothing(change) : hold_active(change, before, drawn);
  const auto then = machine.definition.fingerprints.find(machine.definition.chain(before).back());
  if (then != machine.definition.fingerprints.end() && !is_as_it_was(then->second, request.fingerprint))
    forget_hashes(change);
  next.fingerprints[drawn.layer_id] = request.fingerprint;
  return finish_change(std::move(change), machine.definition);
}

}  // namespace hrvm::machine
