#include "hrvm/machine/prune.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "machine/change/change_parts.hpp"

namespace hrvm::machine {
namespace {

std::vector<RetentionCandidate> candidates_of(const Definition& definition, const std::set<std::string>& bisected) {
  std::set<std::string> held;
  for (const auto* step : definition.held_steps())
    if (step->held->head) held.insert(*step->held->head);
  std::vector<RetentionCandidate> candidates;
  for (const auto& snapshot : definition.snapshots) {
    if (snapshot.is_nameless()) continue;
    const auto needed = snapshot.memory                     ? "holds memory"
                        : held.contains(snapshot.name)      ? "needed for undo"
                        : bisected.contains(snapshot.layer) ? "takes part in a bisect"
                                                            : "";
    candidates.push_back({snapshot.name, snapshot.created, snapshot.is_auto, needed});
  }
  return candidates;
}

}  // namespace

std::vector<Verdict> plan_prune(const Machine& machine, const RetentionRequest& request,
                                const std::set<std::string>& bisected) {
  return plan_retention(candidates_of(machine.definition, bisected), request);
}

std::vector<std::string> in_order_of_removal(const Definition& definition, const std::vector<Verdict>& verdicts) {
  std::set<std::string> going;
  for (const auto& verdict : verdicts)
    if (!verdict.keep) going.insert(verdict.name);
  std::vector<std::string> names;
  for (auto snapshot = definition.snapshots.rbegin(); snapshot != definition.snapshots.rend(); ++snapshot)
    if (going.contains(snapshot->name)) names.push_back(snapshot->name);
  return names;
}

Change plan_snapshot_prune(const Machine& machine, const std::string& name, const Drawn& drawn) {
  auto change = plan_snapshot_delete(machine, name, drawn);
  change.definition.log.back().what = fmt::format("{} {}", prune_order, name);
  fold_timed_steps(change.definition.log);
  return change;
}

}  // namespace hrvm::machine
