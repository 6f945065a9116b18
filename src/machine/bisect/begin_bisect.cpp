#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/bisect.hpp"
#include "hrvm/machine/change.hpp"

namespace hrvm::machine {
namespace {

using base::Error;
using base::ErrorKind;
using States = std::vector<BisectState>;

// A snapshot of that name is meant before the word.
BisectState state_named(const Machine& machine, const std::optional<std::string>& word, std::string_view usual) {
  const std::string name(word.value_or(std::string(usual)));
  const auto* snapshot = word ? machine.definition.find_snapshot(name) : nullptr;
  if (snapshot) return {name, snapshot->layer};
  if (name == base_state) return {name, ""};
  if (name == current_state) return {name, machine.definition.active.layer};
  return {name, snapshot_of(machine, name).layer};
}

// From the base to the state.
States way_to(const Definition& definition, const BisectState& state) {
  States way;
  std::optional<std::string> below;
  if (state.name == current_state && state.layer == definition.active.layer) {
    way.push_back(state);
    below = definition.active.head;
  } else if (!state.layer.empty()) {
    below = state.name;
  }
  while (below) {
    const auto* snapshot = definition.find_snapshot(*below);
    if (!snapshot->is_nameless()) way.push_back({snapshot->name, snapshot->layer});
    below = snapshot->parent;
  }
  way.push_back({std::string(base_state), ""});
  std::ranges::reverse(way);
  return way;
}

Error nothing_between(std::string message, std::string hint) {
  return Error(ErrorKind::usage, std::move(message)).hint(std::move(hint));
}

std::string way_round(const Machine& machine, const BisectState& good, const BisectState& bad) {
  return fmt::format("the bad one is named first: hrvm bisect start {} {} {}", machine.name, good.name, bad.name);
}

States by_layers(const Machine& machine, const BisectState& good, const BisectState& bad) {
  const auto to_good = way_to(machine.definition, good);
  auto to_bad = way_to(machine.definition, bad);
  const auto parting = std::ranges::mismatch(to_good, to_bad);
  if (parting.in2 == to_bad.end())
    throw nothing_between(fmt::format("{} lies on {}: what is good has to come first", good.name, bad.name),
                          way_round(machine, good, bad));
  const auto fork = std::prev(parting.in2);
  // The base is not what a machine was ever like, with no variables and the hardware of import.
  if (fork->layer.empty() && !good.layer.empty())
    throw nothing_between(
        fmt::format("{} and {} have nothing but the base in common", good.name, bad.name),
        fmt::format("begin from the base: hrvm bisect start {0} {1} {2}, or by their times: hrvm bisect start {0} {1} "
                    "{3} --by-time",
                    machine.name, bad.name, base_state, good.name));
  to_bad.erase(to_bad.begin(), fork);
  return to_bad;
}

// Where a state stands in time: the base before all snapshots, the current one behind them.
States by_time(const Machine& machine, const BisectState& good, const BisectState& bad) {
  auto snapshots = machine.definition.snapshots;
  std::ranges::stable_sort(snapshots, {}, &Snapshot::created);
  States all{{std::string(base_state), ""}};
  for (const auto& snapshot : snapshots)
    if (!snapshot.is_nameless()) all.push_back({snapshot.name, snapshot.layer});
  if (bad.layer == machine.definition.active.layer || good.layer == machine.definition.active.layer)
    all.push_back({std::string(current_state), machine.definition.active.layer});
  const auto place_of = [&](const BisectState& state) {
    return std::ranges::find(all, state.layer, &BisectState::layer);
  };
  const auto first = place_of(good), last = place_of(bad);
  if (first > last)
    throw nothing_between(fmt::format("{} is older than {}: what is good has to come first", bad.name, good.name),
                          way_round(machine, good, bad));
  return {first, std::next(last)};
}

}  // namespace

Bisect begin_bisect(const Machine& machine, const BisectRequest& request, base::Time now) {
  Bisect bisect;
  bisect.began = now;
  bisect.by_time = request.by_time;
  bisect.good = state_named(machine, request.good, base_state);
  const auto bad = state_named(machine, request.bad, current_state);
  if (bisect.good.layer == bad.layer)
    throw nothing_between(fmt::format("{} cannot be both good and bad", bad.name), "name two states");
  bisect.states = request.by_time ? by_time(machine, bisect.good, bad) : by_layers(machine, bisect.good, bad);
  return bisect;
}

std::string name_of(const BisectState& state, const Definition& definition) {
  const auto found = std::ranges::find(definition.snapshots, state.layer, &Snapshot::layer);
  return found == definition.snapshots.end() || state.layer.empty() ? state.name : found->name;
}

const BisectState& find_state(const Bisect& bisect, const Machine& machine, std::string_view name) {
  for (const auto& state : bisect.states)
    if (name_of(state, machine.definition) == name) return state;
  for (const auto& state : bisect.states)
    if (state.name == name) return state;
  std::vector<std::string> names;
  for (const auto& state : bisect.states) names.push_back(name_of(state, machine.definition));
  const auto meant = base::did_you_mean(std::string(name), names);
  throw Error(ErrorKind::not_found,
              fmt::format("{} takes no part in the bisect of {}", base::printable(std::string(name)), machine.name))
      .hint(meant ? fmt::format("did you mean {}?", *meant)
                  : fmt::format("hrvm bisect status {} shows those that do", machine.name));
}

}  // namespace hrvm::machine
