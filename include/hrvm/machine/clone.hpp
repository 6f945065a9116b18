// A second machine of what one shows. Frozen layers are the same files in both (hard links): a layer goes with the last
// machine that has it, whatever is removed, deleted, pruned or reset in which of them. So such a file is never written
// to, and a merge into it is made beside (merge_beside.hpp). Where the filesystem has no links they are copied, as is
// what is not frozen; what of that can be shared (reflink) is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hrvm/machine/change.hpp"

namespace hrvm::machine {

struct CloneRequest {
  std::string name;                     // of the new machine
  std::optional<std::string> snapshot;  // null: what the machine shows now
  base::Guid uuid;
  std::string mac;
};

// Its definition: the snapshots that the state lies on come along, under their names, and nothing of the log. On a
// snapshot it gets a new layer of its own, which `drawn` names. Error{unsupported} for a machine on a folder.
Change plan_clone(const Machine& machine, const CloneRequest& request, const Drawn& drawn);

// Carries out the plan. The caller holds the lock of `machine`, and has made sure that it does not run where the plan
// is not of a snapshot. Killed at any moment, it leaves an import that did not finish, or the whole machine.
// Error{exists} where the name is taken.
struct Clone {
  Machine machine;
  std::uint64_t shared_bytes = 0, copied_bytes = 0;  // allocated
};
Clone clone_machine(const Store& store, const Machine& machine, const CloneRequest& request, const Change& plan,
                    const sys::ProgressCallback& progress);

}  // namespace hrvm::machine
