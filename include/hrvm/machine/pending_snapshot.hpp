// A snapshot of a running machine, in two changes. The first makes the layers that the guest is to go on in, and names
// them as pending; once QEMU has switched to them, the second has them active, and what was so until then is the
// snapshot's. What is cut off in between the next command brings to an end: forward where QEMU has switched, else back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/machine/change.hpp"

namespace hrvm::machine {

// Errors as plan_snapshot_create.
Change plan_pending_snapshot(const Machine& machine, const std::string& name, const std::string& description,
                             const Drawn& drawn);
// `memory`: what its guest had in memory, where that was saved.
Change plan_pending_kept(const Machine& machine, Consistency consistency, const Drawn& drawn,
                         std::optional<SavedMemory> memory = std::nullopt);
Change plan_pending_dropped(const Machine& machine);

// What one disk of a machine with a pending snapshot shows. QEMU has a layer open for writing as soon as it knows of
// it, and switches all disks at once.
struct PendingLook {
  bool active_is_written = false, pending_is_written = false;  // open for writing
  bool pending_is_empty = true;                                // nothing was ever written to it
};
std::vector<PendingLook> look_at_pending(const Machine& machine);

enum class Recovery { forward, back };
// Null where the disks do not agree: QEMU is switching them, or somebody else has one open.
std::optional<Recovery> recovery_of(const std::vector<PendingLook>& disks);

}  // namespace hrvm::machine
