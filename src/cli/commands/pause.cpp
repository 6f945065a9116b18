// hrvm pause MACHINE: its processors stand still, and nothing of it is lost.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/running.hpp"

namespace hrvm::cli {
namespace {

Outcome run_pause(const Context& context) {
  const auto& name = context.arguments.positional(0);
  bool stopped = false;
  for (const auto& run : runs_named(context, name)) stopped |= run.pause();
  const auto sentence = stopped ? fmt::format("{0} is paused; go on with hrvm resume {0}", name)
                                : fmt::format("{} was paused already", name);
  return {.report = run_report("pause", name, stopped ? "paused" : "was-paused", sentence)};
}

}  // namespace

const Command pause_command = {
    .name = "pause",
    .summary = "let a running machine stand still",
    .positionals = {{"MACHINE[@SNAP]", "the machine, or what runs of a snapshot", Completes::machine_running}},
    .run = run_pause,
};

}  // namespace hrvm::cli
