// hrvm undo MACHINE: goes back to what the machine was before a reset, a revert or an undo. Each undo goes further
// back.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/machine/folder_layer.hpp"

namespace hrvm::cli {
namespace {

using machine::Machine;

std::uint64_t bytes_held(const Machine& machine, std::optional<std::uint64_t> number) {
  std::uint64_t bytes = 0;
  for (const auto* step : machine.definition.held_steps())
    if (!number || step->number == *number) bytes += machine::allocated_bytes(machine, step->held->layer);
  return bytes;
}

Outcome forget(const Context& context, const LockedMachine& locked, std::optional<std::uint64_t> number) {
  const auto& machine = locked.machine;
  const auto change = plan_forget(machine, number, draw(context.host, locked.store));
  const auto whose = number ? fmt::format("what step {} of {} holds", *number, machine.name)
                            : fmt::format("all that {} holds", machine.name);
  if (!context.dry_run())
    context.confirm(fmt::format("Discard {} for undo ({})?", whose, base::format_bytes(bytes_held(machine, number))));
  return carry_out(context, locked, change, {"undo", fmt::format("Discarded {} for undo", whose), {}});
}

// What the next undo would bring back is told where it is something older still.
std::vector<std::string> next_lines(const std::string& name, const machine::Definition& definition) {
  std::vector<std::string> lines = {
      fmt::format("take this back:  hrvm undo {} --step {}", name, definition.log.back().number)};
  const auto* next = step_to_undo(definition);
  if (next && !next->is_undo) lines.push_back(fmt::format("go further back:  hrvm undo {}", name));
  return lines;
}

Outcome go_back(const Context& context, const LockedMachine& locked, std::optional<std::uint64_t> number) {
  const auto& machine = locked.machine;
  const auto& step = held_step(machine, number);
  const auto change = plan_undo(machine, step, draw(context.host, locked.store, machine));
  locked.store.check_files(machine, change.definition.active);
  check_drift(context, machine, change, context.arguments.has("--force"));
  return carry_out(context, locked, change,
                   {"undo", fmt::format("{} is as it was before step {} ({})", machine.name, step.number, step.what),
                    next_lines(machine.name, change.definition)});
}

Outcome run_undo(const Context& context) {
  const auto name = machine_word(context.arguments.positional(0));
  const auto number = context.arguments.number("--step");
  const auto locked = lock_stopped_machine(context, name);
  return context.arguments.has("--discard") ? forget(context, locked, number) : go_back(context, locked, number);
}

}  // namespace

const Command undo_command = {
    .name = "undo",
    .summary = "take a reset, revert or undo of a machine back",
    .options = {{.name = "--step", .value = "N", .help = "take this step back (hrvm log lists them)"},
                {.name = "--discard", .help = "discard what is held for undo, and leave the machine as it is"},
                {.name = "--force", .help = "go on although the disk has changed since"},
                yes_option(),
                dry_run_option()},
    .positionals = {{"MACHINE", "the machine", Completes::machine}},
    .run = run_undo,
};

}  // namespace hrvm::cli
