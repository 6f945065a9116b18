// Snapshots that a timer makes: named by the time, and none where nothing changed.
#pragma once

#include <optional>
#include <string>

#include "cli/steps/changing.hpp"
#include "hrvm/cli/command.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::cli {

struct AutomaticPlan {
  std::string snapshot;
  std::optional<machine::Change> change = {};  // none: nothing changed since that snapshot
  bool is_live = false;                        // the machine runs: it is that of plan_pending_snapshot()
};
AutomaticPlan plan_automatic(const Context& context, const LockedMachine& locked, const std::string& description);
// The machine as it is to be by then.
machine::Definition planned(const AutomaticPlan& plan, const LockedMachine& locked, const machine::Drawn& drawn);
void make_planned(const Context& context, const LockedMachine& locked, const AutomaticPlan& plan);

// As `snapshot create MACHINE --auto` does. Of a machine that has not changed since its last automatic snapshot it says
// so, and makes none.
Outcome keep_automatically(const Context& context, const std::string& name);

// What makes them of this store's machines, where nothing does yet.
void tell_of_timer(const Context& context, const machine::Store& store);

}  // namespace hrvm::cli
