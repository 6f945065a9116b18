#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "machine/change/change_parts.hpp"

namespace hrvm::machine {
namespace {

using base::Error;
using base::ErrorKind;

Step& step_in(Definition& definition, std::uint64_t number) {
  return *std::ranges::find(definition.log, number, &Step::number);
}

std::vector<const Step*> undoable(const Definition& definition) {
  std::vector<const Step*> steps;
  for (const auto& step : definition.log)
    if (step.can_be_undone()) steps.push_back(&step);
  return steps;
}

void check_free(const Machine& machine, const Step& step, const std::string& name) {
  if (!machine.definition.find_snapshot(name)) return;
  throw Error(ErrorKind::exists, fmt::format("step {} deleted {}@{}, and there is another of that name by now",
                                             step.number, machine.name, name))
      .hint(fmt::format("give that one another name first: hrvm snapshot rename {}@{} NEW", machine.name, name));
}

// Where the node is that stayed in its place.
void bring_back(Definition& definition, const Snapshot& held) {
  const auto node = nameless(held.layer);
  auto& snapshot = *std::ranges::find(definition.snapshots, node, &Snapshot::name);
  const auto parent = snapshot.parent;
  snapshot = held;
  snapshot.name = node;
  snapshot.parent = parent;
  rename_node(definition, node, held.name);
}

void bring_back(Change& change, const Machine& machine, const Step& step) {
  for (const auto& held : step.deleted) {
    check_free(machine, step, held.name);
    bring_back(change.definition, held);
    change.definition.log.back().restored.push_back(held.layer);
  }
}

// As far as they are there still.
void delete_again(Change& change, const Step& step) {
  for (const auto& layer : step.restored) {
    const auto& snapshots = change.definition.snapshots;
    const auto snapshot = std::ranges::find(snapshots, layer, &Snapshot::layer);
    if (snapshot != snapshots.end() && !snapshot->is_nameless()) put_away(change, std::string(snapshot->name));
  }
}

}  // namespace

const Step* step_to_undo(const Definition& definition) {
  const auto held = undoable(definition);
  const auto newest = std::ranges::find(held.rbegin(), held.rend(), false, &Step::is_undo);
  if (newest != held.rend()) return *newest;
  return held.empty() ? nullptr : held.back();
}

const Step& held_step(const Machine& machine, std::optional<std::uint64_t> number) {
  const auto held = undoable(machine.definition);
  const auto* step = step_to_undo(machine.definition);
  if (!step)
    throw Error(ErrorKind::not_found, fmt::format("there is nothing to undo in machine {}", machine.name))
        .hint(fmt::format("no step holds what the machine was before: hrvm log {}", machine.name));
  if (!number) return *step;
  const auto found = std::ranges::find(held, *number, &Step::number);
  if (found == held.end())
    throw Error(ErrorKind::not_found, fmt::format("step {} of machine {} holds nothing", *number, machine.name))
        .hint(fmt::format("those that do: hrvm log {}", machine.name));
  return **found;
}

Change plan_undo(const Machine& machine, const Step& step, const Drawn& drawn) {
  Machine without = machine;  // what it holds may be older than what is held for long
  let_go(step_in(without.definition, step.number));
  Change change = begin_change(without, fmt::format("undo of step {}", step.number),
                               fmt::format("undo step {} ({}) of {}", step.number, step.what, machine.name), drawn);
  Definition& next = change.definition;
  next.log.back().is_undo = true;
  if (step.held) {
    next.log.back().held = std::exchange(next.active, *step.held);
    next.log.back().is_empty = drawn.is_active_empty;
  }
  bring_back(change, machine, step);
  delete_again(change, step);
  return finish_change(std::move(change), machine.definition);
}

Change plan_forget(const Machine& machine, std::optional<std::uint64_t> number, const Drawn& drawn) {
  const Step& step = held_step(machine, number);
  const auto what = number ? fmt::format("undo --discard --step {}", step.number) : "undo --discard";
  Change change = begin_change(machine, what, fmt::format("forget what is held for undo in {}", machine.name), drawn);
  if (number)
    let_go(step_in(change.definition, step.number));
  else
    hold_nothing(change);
  return finish_change(std::move(change), machine.definition);
}

}  // namespace hrvm::machine
