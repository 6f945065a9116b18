// hrvm snapshot revert MACHINE@SNAP: a new empty layer on the snapshot. What was is kept for undo.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/changing.hpp"
#include "cli/steps/running.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/launch/boot.hpp"
#include "hrvm/launch/run.hpp"

namespace hrvm::cli {
namespace {

void confirm_discard(const Context& context, const machine::Machine& machine) {
  if (!context.arguments.has("--discard") || context.dry_run()) return;
  context.confirm(
      fmt::format("Discard all changes of {} since {}, and what is held for undo?", machine.name,
                  machine.definition.named(machine.definition.active.head).value_or("its import or last reset")));
}

// Nothing is stopped for what cannot be done, or is not wanted.
bool is_stopped_first(const Context& context, const std::string& name, const std::string& snapshot) {
  const auto machine = open_store(context).load(name);
  machine::snapshot_of(machine, snapshot);
  if (!is_to_be_stopped(context, name, "revert")) return false;
  confirm_discard(context, machine);
  return true;
}

// Of a guest that goes on in the background.
launch::BootRequest request_to_resume(const Context& context, const std::string& name) {
  launch::BootRequest request{.machine = name, .resume = true, .force = context.arguments.has("--force")};
  request.launch.detach = true;
  return request;
}

// It is as if the snapshot were booted: nothing is reverted for a guest that cannot go on.
void check_can_resume(const Context& context, const std::string& name, const std::string& snapshot) {
  auto request = request_to_resume(context, name);
  request.snapshot = snapshot;
  request.ephemeral = true;
  launch::prepare(context.host, open_store(context), request, {[](auto) {}, [](auto) {}, [](auto) {}});
}

void go_on(const Context& context, const std::string& name, Outcome& outcome) {
  auto boot = launch::prepare(context.host, open_store(context), request_to_resume(context, name), listener(context));
  launch::make(boot, context.host, listener(context));
  const auto pid = launch::run_made(
      boot, [&] { return launch::run_detached(context.host, boot.plan, std::move(boot.lock), boot.keep); });
  outcome.report->data.set("pid", std::uint64_t(pid));
  outcome.report->human.push_back(
      report::TextView{fmt::format("  its guest goes on in the background, as process {}", pid)});
}

Outcome revert(const Context& context, const std::string& name, const std::string& snapshot) {
  const bool discard = context.arguments.has("--discard"), stops = is_stopped_first(context, name, snapshot);
  const auto locked = lock_machine_to_stop(context, name, stops);
  const auto change =
      plan_snapshot_revert(locked.machine, snapshot, discard, draw(context.host, locked.store, locked.machine));
  if (!discard) locked.store.check_files(locked.machine, locked.machine.definition.active);
  check_drift(context, locked.machine, change, context.arguments.has("--force"));
  if (!stops) confirm_discard(context, locked.machine);
  return carry_out(context, locked, change,
                   {"snapshot-revert", fmt::format("{} starts anew from its snapshot {}", name, snapshot),
                    undo_lines(locked.machine, change)});
}

Outcome run_snapshot_revert(const Context& context) {
  const auto [name, snapshot] = snapshot_word(context.arguments.positional(0));
  const bool resumes = context.arguments.has("--resume");
  if (resumes) check_can_resume(context, name, snapshot);
  auto outcome = revert(context, name, snapshot);
  if (!resumes || context.dry_run()) return outcome;
  try {
    go_on(context, name, outcome);
  } catch (const base::Error& error) {
    throw base::Error(error.kind(),
                      fmt::format("{}; {} was reverted to {} all the same", error.message(), name, snapshot))
        .hint(fmt::format("hrvm undo {0} takes that back; hrvm boot {0} starts it without its memory", name));
  }
  return outcome;
}

}  // namespace

const Command snapshot_revert_command = {
    .name = "snapshot revert",
    .summary = "start a machine anew from a snapshot",
    .options = {{.name = "--resume", .help = "go on from the snapshot's memory, in the background"},
                {.name = "--discard", .help = "hold nothing for undo, and discard what older steps hold"},
                {.name = "--force", .help = "go on although the disk has changed since"},
                stop_option(),
                yes_option(),
                dry_run_option()},
    .positionals = {{"MACHINE@SNAP", "the snapshot", Completes::snapshot}},
    .run = run_snapshot_revert,
};

}  // namespace hrvm::cli
