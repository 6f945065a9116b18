#include "hrvm/machine/prune.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "machine/change/change_parts.hpp"

namespace hrvm::machine {
namespace {

std::vector<RetentionCandidate> candidates_of(const Definition& definition) {
  std::set<std::string> held;
  for (const auto* step : definition.held_steps())
    if (step->held->head) held.insert(*step->held->head);
  std::vector<RetentionCandidate> candidates;
  for (const auto& snapshot : definition.snapshots) {
    const auto needed = snapshot.memory ? "holds memory" : held.contains(snapshot.name) ? "needed for undo" : "";
    candidates.push_back({snapshot.name, snapshot.created, snapshot.is_auto, needed});
  }
  return candidates;
}

// How many snapshots and states lie on each.
std::map<std::string, unsigned> counts_of_children(const Definition& definition) {
  std::map<std::string, unsigned> counts;
  for (const auto& snapshot : definition.snapshots)
    if (snapshot.parent) ++counts[*snapshot.parent];
  if (definition.active.head) ++counts[*definition.active.head];
  return counts;
}

// A snapshot can go when at most one thing lies on it by then: children stand behind their parents, and are seen first.
void keep_forks(const Definition& definition, std::vector<Verdict>& verdicts) {
  std::map<std::string, Verdict*> by_name;
  for (auto& verdict : verdicts) by_name[verdict.name] = &verdict;
  auto children = counts_of_children(definition);
  for (auto snapshot = definition.snapshots.rbegin(); snapshot != definition.snapshots.rend(); ++snapshot) {
    auto& verdict = *by_name.at(snapshot->name);
    if (verdict.keep) continue;
    const auto count = children[snapshot->name];
    if (count > 1) {
      verdict.keep = true;
      verdict.because.push_back(fmt::format("{} things lie on it", count));
    } else if (count == 0 && snapshot->parent) {
      --children[*snapshot->parent];
    }
  }
}

}  // namespace

std::vector<Verdict> plan_prune(const Machine& machine, const RetentionRequest& request) {
  auto verdicts = plan_retention(candidates_of(machine.definition), request);
  keep_forks(machine.definition, verdicts);
  return verdicts;
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
