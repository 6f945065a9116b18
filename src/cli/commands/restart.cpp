// hrvm restart MACHINE: the guest powers down and starts again, in the same QEMU with the same devices.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/running.hpp"
#include "cli/words/named_machine.hpp"

namespace hrvm::cli {
namespace {

// A domain's QEMU ends and starts again: nobody may change the machine in between. Whether it was reset.
bool restart(const Context& context, const std::string& name, const launch::Run& run, std::chrono::seconds patience,
             bool force) {
  std::optional<sys::Lock> lock;
  if (run.domain) lock = open_store(context).lock(name);
  return run.restart(patience, force) == launch::RestartWay::reset;
}

Outcome run_restart(const Context& context) {
  const auto& name = context.arguments.positional(0);
  const auto patience = patience_of(context.arguments);
  const bool force = context.arguments.has("--force");
  bool reset = false;
  for (const auto& run : runs_named(context, name)) reset |= restart(context, name, run, patience, force);
  if (!reset) return {.report = run_report("restart", name, "powered-down", fmt::format("{} starts again", name))};
  const auto sentence =
      force ? fmt::format("{} was reset", name) : fmt::format("{} did not power down, and was reset", name);
  return {.report = run_report("restart", name, "reset", sentence)};
}

}  // namespace

const Command restart_command = {
    .name = "restart",
    .summary = "power a running machine down and start it again",
    .options = {patience_option(), {.name = "--force", .help = "reset it at once, as by its button"}},
    .positionals = {{"MACHINE[@SNAP]", "the machine, or what runs of a snapshot", Completes::machine_running}},
    .run = run_restart,
};

}  // namespace hrvm::cli
