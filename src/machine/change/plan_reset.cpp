#include "machine/change/change_parts.hpp"

namespace hrvm::machine {

Change plan_reset(const Machine& machine, const ResetRequest& request, const Drawn& drawn) {
  check_has_states(machine);
  Change change = begin_change(machine, "reset", "reset " + machine.name, drawn);
  Definition& next = change.definition;
  const State before = next.active;
  next.active = state_on_new_layer(change, std::nullopt, before.hardware,
                                   request.keep_nvram ? before.nvram : std::nullopt, drawn);
  request.discard ? hold_nothing(change) : hold_active(change, before, drawn);
  next.fingerprints[drawn.layer_id] = request.fingerprint;
  return finish_change(std::move(change), machine.definition);
}

}  // namespace hrvm::machine
