// Each layer costs a look-up for each read that it does not answer itself.
#include <fmt/core.h>

#include "doctor/checks.hpp"

namespace hrvm::doctor {

static constexpr std::size_t deepest = 3;

// The snapshot that the active state lies on furthest down: the first that has a single child is cheap to merge.
static std::string oldest_snapshot_below(const machine::Definition& definition) {
  std::string name;
  for (auto head = definition.active.head; head;) {
    name = *head;
    const auto* snapshot = definition.find_snapshot(name);
    head = snapshot ? snapshot->parent : std::nullopt;
  }
  return name;
}

static Results examine(const machine::Machine& machine) {
  const auto depth = machine.definition.chain(machine.definition.active).size();
  if (depth <= deepest) return {};
  return {{"chain", Status::warning,
           fmt::format("{} lies on {} layers; more than {} make it slow", machine.name, depth, deepest),
           fmt::format("to keep them, make a machine of what it shows now: hrvm export {0} {0}.qcow2 && hrvm import "
                       "{0}.qcow2; to give one up: hrvm snapshot delete {0}@{1}",
                       machine.name, oldest_snapshot_below(machine.definition))}};
}

Results check_chain(const Circumstances& at) {
  return or_ok("chain", for_each_machine(at, "chain", examine),
               fmt::format("no machine lies on more than {} layers", deepest));
}

}  // namespace hrvm::doctor
