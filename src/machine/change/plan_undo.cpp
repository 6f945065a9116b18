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

}  // namespace

const Step* step_to_undo(const Definition& definition) {
  const auto held = definition.held_steps();
  const auto newest = std::ranges::find(held.rbegin(), held.rend(), false, &Step::is_undo);
  if (newest != held.rend()) return *newest;
  return held.empty() ? nullptr : held.back();
}

const Step& held_step(const Machine& machine, std::optional<std::uint64_t> number) {
  const auto held = machine.definition.held_steps();
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
  Machine without = machine;  // its state may be older than what is held for long
  step_in(without.definition, step.number).held.reset();
  Change change = begin_change(without, fmt::format("undo of step {}", step.number),
                               fmt::format("undo step {} ({}) of {}", step.number, step.what, machine.name), drawn);
  Definition& next = change.definition;
  next.log.back().is_undo = true;
  next.log.back().held = std::exchange(next.active, *step.held);
  next.log.back().is_empty = drawn.is_active_empty;
  return finish_change(std::move(change), machine.definition);
}

Change plan_forget(const Machine& machine, std::optional<std::uint64_t> number, const Drawn& drawn) {
  const Step& step = held_step(machine, number);
  const auto what = number ? fmt::format("undo --discard --step {}", step.number) : "undo --discard";
  Change change = begin_change(machine, what, fmt::format("forget what is held for undo in {}", machine.name), drawn);
  if (number)
    step_in(change.definition, step.number).held.reset();
  else
    hold_nothing(change);
  return finish_change(std::move(change), machine.definition);
}

}  // namespace hrvm::machine
