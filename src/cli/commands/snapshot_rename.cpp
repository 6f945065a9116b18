// hrvm snapshot rename MACHINE@SNAP NEW: only the definition changes, so the machine may run.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/settled.hpp"

namespace hrvm::cli {
namespace {

// "new", "@new" and "web@new" mean the same.
std::string new_name(const std::string& machine, const std::string& word) {
  if (word.find('@') == word.npos) return word;
  if (word.starts_with('@')) return word.substr(1);
  const auto named = named_snapshot(word);
  if (named.machine == machine) return *named.snapshot;
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("a snapshot of {} cannot become one of {}", machine, base::printable(named.machine)))
      .hint("name the new snapshot alone");
}

Outcome run_snapshot_rename(const Context& context) {
  const auto [name, snapshot] = snapshot_word(context.arguments.positional(0));
  const auto wanted = new_name(name, context.arguments.positional(1));
  auto store = open_store(context);
  auto lock = store.lock(name);
  auto machine = launch::load_settled(context.host, store, name);
  const auto change = plan_snapshot_rename(machine, snapshot, wanted, draw(context.host, store));
  ChangeWords words{"snapshot-rename", fmt::format("{0}@{1} is {0}@{2} now", name, snapshot, wanted), {}};
  if (snapshot_of(machine, snapshot).is_auto) words.details = {"it is no automatic snapshot any more: prune leaves it"};
  return carry_out(context, {std::move(store), std::move(lock), std::move(machine)}, change, words);
}

}  // namespace

const Command snapshot_rename_command = {
    .name = "snapshot rename",
    .summary = "give a snapshot another name",
    .options = {dry_run_option()},
    .positionals = {{"MACHINE@SNAP", "the snapshot", Completes::snapshot}, {"NEW", "its new name"}},
    .run = run_snapshot_rename,
};

}  // namespace hrvm::cli
