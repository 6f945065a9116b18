// Each layer costs a look-up for each read that it does not answer itself.
#include <fmt/core.h>

#include <algorithm>

#include "doctor/checks.hpp"

namespace hrvm::doctor {

static constexpr std::size_t deepest = 3;

// The snapshot that the active state lies on furthest down: the first that has a single child is cheap to merge.
static std::string oldest_snapshot_below(const machine::Definition& definition) {
  std::string name;
  for (auto head = definition.active.head; head;) {
    const auto* snapshot = definition.find_snapshot(*head);
    if (!snapshot->is_nameless()) name = *head;
    head = snapshot->parent;
  }
  return name;
}

static bool holds_deleted(const machine::Definition& definition) {
  const auto chain = definition.chain(definition.active);
  return std::ranges::any_of(chain, [&](const auto& layer) { return definition.holder_of(layer) != nullptr; });
}

static Results examine(const machine::Machine& machine) {
  const auto depth = machine.definition.chain(machine.definition.active).size();
  if (depth <= deepest) return {};
  auto remedy = fmt::format(
      "to keep them, make a machine of what it shows now: hrvm export {0} {0}.qcow2 && hrvm import {0}.qcow2",
      machine.name);
  if (const auto oldest = oldest_snapshot_below(machine.definition); !oldest.empty())
    remedy += fmt::format("; to give one up: hrvm snapshot delete --discard {}@{}", machine.name, oldest);
  if (holds_deleted(machine.definition))
    remedy =
        fmt::format("let what was deleted and is held for undo go: hrvm undo {} --discard; ", machine.name) + remedy;
  return {{"chain", Status::warning,
           fmt::format("{} lies on {} layers; more than {} make it slow", machine.name, depth, deepest), remedy}};
}

Results check_chain(const Circumstances& at) {
  return or_ok("chain", for_each_machine(at, "chain", examine),
               fmt::format("no machine lies on more than {} layers", deepest));
}

}  // namespace hrvm::doctor
