#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "machine/change/change_parts.hpp"

namespace hrvm::machine {

Change plan_reset(const Machine& machine, const ResetRequest& request, const Drawn& drawn) {
  check_has_states(machine);
  Change change = begin_change(machine, "reset " + machine.name);
  Definition& next = change.definition;
  const State before = next.active;
  next.active = state_on_new_layer(change, std::nullopt, before.hardware,
                                   request.keep_nvram ? before.nvram : std::nullopt, drawn);
  next.previous = request.discard ? std::nullopt : std::optional(before);
  next.fingerprints[drawn.layer_id] = request.fingerprint;
  return finish_change(std::move(change), machine.definition);
}

Change plan_undo(const Machine& machine) {
  Change change = begin_change(machine, "undo in " + machine.name);
  if (!change.definition.previous)
    throw base::Error(base::ErrorKind::not_found, fmt::format("there is nothing to undo in machine {}", machine.name))
        .hint("only what the last reset or revert put away is kept, until the next reset, revert or snapshot");
  std::swap(change.definition.active, *change.definition.previous);
  return finish_change(std::move(change), machine.definition);
}

}  // namespace hrvm::machine
