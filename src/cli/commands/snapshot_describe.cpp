// hrvm snapshot describe MACHINE@SNAP -m TEXT: only the definition changes, so the machine may run.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::cli {
namespace {

Outcome run_snapshot_describe(const Context& context) {
  const auto [name, snapshot] = snapshot_word(context.arguments.positional(0));
  const auto text = context.arguments.value("--message");
  if (!text)
    throw base::Error(base::ErrorKind::usage, "nothing was given to describe it with")
        .hint("say -m TEXT; -m '' takes the text away");
  const auto locked = lock_machine(context, name);
  const auto change = plan_snapshot_describe(locked.machine, snapshot, *text, draw(context.host, locked.store));
  ChangeWords words{"snapshot-describe", fmt::format("{}@{} is described anew", name, snapshot), {}};
  const auto& before = snapshot_of(locked.machine, snapshot).description;
  words.details = {fmt::format("{} -> {}", before.empty() ? "none" : before, text->empty() ? "none" : *text)};
  return carry_out(context, locked, change, words);
}

}  // namespace

const Command snapshot_describe_command = {
    .name = "snapshot describe",
    .summary = "say what a snapshot is for",
    .options = {{.name = "--message", .letter = 'm', .value = "TEXT", .help = "what the snapshot is for"},
                dry_run_option()},
    .positionals = {{"MACHINE@SNAP", "the snapshot", Completes::snapshot}},
    .run = run_snapshot_describe,
};

}  // namespace hrvm::cli
