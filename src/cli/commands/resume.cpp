// hrvm resume MACHINE: goes on with one that was paused, by a person or for want of room in the store.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/running.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/machine/storage.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;

// It would stop again with its next write.
void check_room(const Context& context) {
  const auto space = context.host.space(context.store);
  if (space.available_bytes >= machine::room_to_go_on(space) || context.arguments.has("--force")) return;
  throw Error(ErrorKind::refused,
              fmt::format("the store has too little room for it to go on: {} of {} free",
                          base::format_bytes(space.available_bytes), base::format_bytes(space.total_bytes)))
      .on(context.store)
      .hint(
          "make room first: hrvm list --sort changes shows what each machine takes; hrvm undo --discard, hrvm snapshot "
          "delete, hrvm remove. --force goes on all the same");
}

Outcome run_resume(const Context& context) {
  const auto& name = context.arguments.positional(0);
  const auto runs = runs_named(context, name);
  check_room(context);
  bool goes_on = false;
  for (const auto& run : runs) goes_on |= run.resume();
  return {.report = run_report("resume", name, goes_on ? "resumed" : "was-running",
                               name + (goes_on ? " goes on" : " was running already"))};
}

}  // namespace

const Command resume_command = {
    .name = "resume",
    .summary = "go on with a machine that is paused",
    .options = {{.name = "--force", .help = "although the store has too little room"}},
    .positionals = {{"MACHINE[@SNAP]", "the machine, or what runs of a snapshot", Completes::machine_running}},
    .run = run_resume,
};

}  // namespace hrvm::cli
