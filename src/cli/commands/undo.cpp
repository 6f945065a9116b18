// hrvm undo MACHINE: goes back to what the machine was before a reset, a revert or an undo, and to the snapshots that
// there were before a delete or prune. Each undo goes further back.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/launch/runs.hpp"
#include "hrvm/machine/bisect.hpp"

namespace hrvm::cli {
namespace {

using machine::Machine;

std::uint64_t bytes_of_steps(const Machine& machine, std::optional<std::uint64_t> number) {
  std::uint64_t bytes = 0;
  for (const auto& step : machine.definition.log)
    if (!number || step.number == *number) bytes += bytes_held(machine, step);
  return bytes;
}

// Layers of snapshots that were deleted are merged only now.
Outcome forget(const Context& context, const std::string& name, std::optional<std::uint64_t> number) {
  auto locked = lock_machine_to_merge(context, name);
  const auto machine = locked.machine;
  const auto change = plan_forget(machine, number, draw(context.host, locked.store));
  const auto whose = number ? fmt::format("what step {} of {} holds", *number, machine.name)
                            : fmt::format("all that {} holds", machine.name);
  if (!context.dry_run())
    context.confirm(
        fmt::format("Discard {} for undo ({})?", whose, base::format_bytes(bytes_of_steps(machine, number))));
  auto outcome = carry_out(context, locked, change, {"undo", fmt::format("Discarded {} for undo", whose), {}});
  if (!context.dry_run()) merge_nameless(context, locked);
  return outcome;
}

// What the next undo would bring back is told where it is something older still.
std::vector<std::string> next_lines(const std::string& name, const machine::Definition& definition) {
  std::vector<std::string> lines = {
      fmt::format("take this back:  hrvm undo {} --step {}", name, definition.log.back().number)};
  const auto* next = step_to_undo(definition);
  if (next && !next->is_undo) lines.push_back(fmt::format("go further back:  hrvm undo {}", name));
  return lines;
}

void check_can_be_active(const Context& context, const LockedMachine& locked, const machine::Change& change) {
  locked.store.check_files(locked.machine, change.definition.active);
  check_drift(context, locked.machine, change, context.arguments.has("--force"));
}

// What an undo gave a name back to, and would take it from again.
void check_not_bisected(const Machine& machine, const machine::Step& step) {
  for (const auto& layer : step.restored)
    for (const auto& snapshot : machine.definition.snapshots)
      if (snapshot.layer == layer && !snapshot.is_nameless()) machine::check_not_bisected(machine, snapshot.name);
}

// Names of snapshots come and go while the machine runs as well.
Outcome go_back(const Context& context, const std::string& name, std::optional<std::uint64_t> number) {
  const auto locked = lock_machine(context, name);
  const auto& machine = locked.machine;
  const auto& step = held_step(machine, number);
  if (step.held) launch::check_stopped(context.host, machine, "changed");
  check_not_bisected(machine, step);
  const auto change = plan_undo(machine, step, draw(context.host, locked.store, machine));
  if (step.held) check_can_be_active(context, locked, change);
  return carry_out(context, locked, change,
                   {"undo", fmt::format("{} is as it was before step {} ({})", machine.name, step.number, step.what),
                    next_lines(machine.name, change.definition)});
}

Outcome run_undo(const Context& context) {
  const auto name = machine_word(context.arguments.positional(0));
  const auto number = context.arguments.number("--step");
  return context.arguments.has("--discard") ? forget(context, name, number) : go_back(context, name, number);
}

}  // namespace

const Command undo_command = {
    .name = "undo",
    .summary = "take a reset, revert, delete, prune or undo of a machine back",
    .options = {{.name = "--step", .value = "N", .help = "take this step back (hrvm log lists them)"},
                {.name = "--discard", .help = "discard what is held for undo, and leave the machine as it is"},
                {.name = "--force", .help = "go on although the disk has changed since"},
                yes_option(),
                dry_run_option()},
    .positionals = {{"MACHINE", "the machine", Completes::machine}},
    .run = run_undo,
};

}  // namespace hrvm::cli
