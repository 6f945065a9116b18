#include "cli/steps/pruning.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "cli/steps/changing.hpp"
#include "cli/words/named_machine.hpp"
#include "cli/words/retention_words.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/machine/bisect.hpp"
#include "hrvm/machine/layers.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::cli {
namespace {

using machine::Verdict;

using Names = std::set<std::string>;

Names going(const std::vector<Verdict>& verdicts) {
  Names names;
  for (const auto& verdict : verdicts)
    if (!verdict.keep) names.insert(verdict.name);
  return names;
}

void keep_these(std::vector<Verdict>& verdicts, const Names& names, const std::string& why) {
  for (auto& verdict : verdicts) {
    if (verdict.keep || !names.contains(verdict.name)) continue;
    verdict.keep = true;
    verdict.because.push_back(why);
  }
}

// What is damaged would be taken into what lies on it, and be sound from then on.
void check_layers(const machine::Machine& machine) {
  for (auto& fault : machine::layer_faults(machine)) throw std::move(fault);
}

// Gives the names that are left, which are none where nothing was thrown.
void put_away(const Context& context, const LockedMachine& locked, const std::vector<std::string>& names, Names& left) {
  if (names.empty()) return;
  const auto drawn = draw(context.host, locked.store, locked.machine);
  const auto change = plan_snapshot_put_away(locked.machine, names, "snapshot prune", drawn);
  make(context, locked, change, [](std::uint64_t) {});
  left.clear();
}

void remove_all(const Context& context, LockedMachine& locked, const std::vector<std::string>& names, Names& left) {
  sys::Progress progress(context.host, "Deleting snapshots of " + locked.machine.name, names.size(), context.quiet,
                         sys::Progress::Of::things);
  for (const auto& name : names) {
    progress.at(names.size() - left.size());
    const auto change = plan_snapshot_prune(locked.machine, name, draw(context.host, locked.store, locked.machine));
    locked.machine = make(context, locked, change, [](std::uint64_t) { sys::check_interrupted(); });
    left.erase(name);
  }
  merge_nameless(context, locked);
}

}  // namespace

machine::RetentionRequest retention_request(const Context& context, const sys::TimeZone& zone, base::Time now) {
  if (zone.missing())
    context.note(fmt::format("the time zone {} is not installed here: days are those of UTC", *zone.missing()));
  return {.counts = keep_counts(context.arguments),
          .all = context.arguments.has("--all"),
          .now = now,
          .utc_offset = [&zone](base::Time time) { return zone.utc_offset(time); }};
}

Pruning plan_pruning(const Context& context, const std::string& name, const machine::RetentionRequest& request) {
  const auto machine = open_store(context).load(name);
  Pruning pruning{name, plan_prune(machine, request, bisected_layers(machine))};
  for (const auto& verdict : pruning.verdicts) {
    if (std::ranges::find(verdict.because, machine::from_the_future) == verdict.because.end()) continue;
    context.warn(fmt::format("{}@{} is from the future: the clock was wrong then, or is now; such snapshots stay", name,
                             verdict.name));
    break;
  }
  return pruning;
}

void prune(const Context& context, const machine::RetentionRequest& request, Pruning& pruning, Removal removal) {
  const auto agreed = going(pruning.verdicts);
  if (agreed.empty()) return;
  auto left = agreed;
  try {
    const bool merges = removal == Removal::at_once;
    auto locked = merges ? lock_machine_to_merge(context, *pruning.machine) : lock_machine(context, *pruning.machine);
    if (merges) check_layers(locked.machine);
    pruning.verdicts = plan_prune(locked.machine, request, bisected_layers(locked.machine));
    left = going(pruning.verdicts);
    Names later;
    std::ranges::set_difference(left, agreed, std::inserter(later, later.end()));
    keep_these(pruning.verdicts, later, "came up meanwhile");
    left = going(pruning.verdicts);
    const auto names = in_order_of_removal(locked.machine.definition, pruning.verdicts);
    merges ? remove_all(context, locked, names, left) : put_away(context, locked, names, left);
  } catch (const base::Error& error) {
    keep_these(pruning.verdicts, left, error.message());
    throw;
  }
}

}  // namespace hrvm::cli
