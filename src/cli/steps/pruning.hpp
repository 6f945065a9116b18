// Pruning machines: planned without their locks, then done under them.
#pragma once

#include <string>
#include <vector>

#include "cli/views/prune_view.hpp"
#include "hrvm/cli/command.hpp"
#include "hrvm/machine/prune.hpp"
#include "hrvm/sys/time_zone.hpp"

namespace hrvm::cli {

// As the words have it, at this time. A zone that is missing is told.
machine::RetentionRequest retention_request(const Context& context, const sys::TimeZone& zone, base::Time now);

// What stays of the machine's snapshots. That there are some from the future is told.
Pruning plan_pruning(const Context& context, const std::string& name, const machine::RetentionRequest& request);

enum class Removal { held_for_undo, at_once };

// Deletes what goes: by one change that holds all of it for undo, or each snapshot for itself, so that what is done
// when it is cut off is done. What came up since `pruning` was planned is left for another time. What is thrown leaves
// `pruning` as it is by then: what could not be deleted stays, with the reason.
void prune(const Context& context, const machine::RetentionRequest& request, Pruning& pruning, Removal removal);

}  // namespace hrvm::cli
