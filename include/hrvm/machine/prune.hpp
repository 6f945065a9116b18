// Pruning: a machine's snapshots go through retention (retention.hpp), and those that nothing keeps are deleted, each
// by a change of its own.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "hrvm/machine/change.hpp"
#include "hrvm/machine/retention.hpp"

namespace hrvm::machine {

// Of each snapshot, the newest first. Those that held states lie on stay, and those of `bisected` layers (bisect.hpp).
std::vector<Verdict> plan_prune(const Machine& machine, const RetentionRequest& request,
                                const std::set<std::string>& bisected = {});

// Those that go, in the order in which they can: what lies on one goes before it, and so each layer is merged once into
// what stays.
std::vector<std::string> in_order_of_removal(const Definition& definition, const std::vector<Verdict>& verdicts);

// As plan_snapshot_delete, as a step of pruning.
Change plan_snapshot_prune(const Machine& machine, const std::string& name, const Drawn& drawn);

}  // namespace hrvm::machine
