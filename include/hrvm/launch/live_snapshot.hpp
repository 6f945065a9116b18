// A snapshot of a machine that runs. Its guest stands still for the moment in which QEMU goes on to new layers on all
// disks at once; where it has an agent, its filesystems are held at rest for that.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/machine/change.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::launch {

enum class Freeze { automatic, require, never };
constexpr std::array<std::string_view, 3> words_of(Freeze) { return {"auto", "require", "never"}; }

// What is to be kept of a guest that runs, and how.
struct LiveRequest {
  Freeze freeze = Freeze::automatic;
  bool with_memory = false;      // and its devices: it is not frozen for that
  bool allow_low_space = false;  // its memory is saved although that may fill the store
  int machine_lock = -1;         // the descriptor of the lock on the machine
  // Of its memory, as far as it is saved.
  sys::ProgressCallback progress = [](std::uint64_t) {};
};

struct LiveSnapshot {
  machine::Machine machine;             // as it is with the snapshot
  std::chrono::milliseconds stood{};    // how long the guest, or its filesystems, stood still
  std::vector<base::Finding> findings;  // what it is worth less for
};

// Whether QEMU, as hrvm started it, writes to the machine's layers. Error{busy} for what runs otherwise and cannot be
// kept: a machine on a folder, one whose guest writes to a throw-away layer; Error{refused} for a domain of libvirt.
bool runs_live(const sys::Host& host, const machine::Machine& machine);

// Carries out what plan_pending_snapshot() gave, of a machine that runs so and is settled, for who holds its lock.
// Error{unsupported} where a freeze is required and there is no agent, or its memory cannot be saved, with QEMU's
// reason, Error{external} where that refuses, Error{refused} where there is no room for the memory. Where it fails the
// machine is as it was; the guest runs on in any case.
LiveSnapshot make_live_snapshot(const sys::Host& host, const machine::Store& store, const machine::Machine& machine,
                                const machine::Change& pending, const LiveRequest& request);

}  // namespace hrvm::launch
