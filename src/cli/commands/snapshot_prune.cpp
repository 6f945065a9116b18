// hrvm snapshot prune MACHINE… | --every: deletes the automatic snapshots that no rule keeps. With --simulate it says
// what the rules make of a list.
#include <fmt/core.h>

#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/changing.hpp"
#include "cli/steps/pruning.hpp"
#include "cli/steps/several.hpp"
#include "cli/words/named_machine.hpp"
#include "cli/words/retention_words.hpp"
#include "cli/words/simulated_snapshots.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;

Error wrong(std::string message, std::string hint) {
  return Error(ErrorKind::usage, std::move(message)).hint(std::move(hint));
}

void check_words(const Arguments& arguments) {
  const bool simulates = arguments.has("--simulate"), every = arguments.has("--every");
  const bool names_any = !arguments.positionals().empty();
  if (simulates && (every || names_any)) throw wrong("--simulate needs no machine", "leave it or the machines out");
  if (arguments.has("--now") && !simulates) throw wrong("--now goes with --simulate", "a machine is pruned as of now");
  if (every && names_any) throw wrong("--every is for all machines", "leave it or the machines out");
  if (!simulates && !every && !names_any)
    throw wrong("no machine was named", "name machines, or say --every; --simulate FILE needs none");
}

base::Time simulated_now(const Context& context) {
  const auto asked = context.arguments.value("--now");
  if (!asked) return context.host.now();
  if (const auto now = time_word(*asked)) return *now;
  throw wrong(fmt::format("--now: \"{}\" is no time", base::printable(*asked)), "write 2026-11-28T16:15:00Z");
}

Outcome simulate(const Context& context) {
  const auto zone = time_zone(context);
  const auto now = simulated_now(context);
  const auto request = retention_request(context, zone, now);
  const auto snapshots = simulated_snapshots(context, *context.arguments.value("--simulate"));
  return {.report = prune_report({{std::nullopt, plan_retention(snapshots, request)}}, {now, zone.name()})};
}

std::string question(const std::vector<Pruning>& prunings) {
  const auto going = count_of_going(prunings);
  const auto machines = std::ranges::count_if(prunings, [](const auto& each) { return count_of_going(each) > 0; });
  const auto what = fmt::format("Delete {} snapshot{}", going, going == 1 ? "" : "s");
  if (prunings.size() == 1) return fmt::format("{} of {}?", what, *prunings.front().machine);
  return fmt::format("{} of {} machine{}?", what, machines, machines == 1 ? "" : "s");
}

Removal removal(const Context& context) {
  return context.arguments.has("--discard") ? Removal::at_once : Removal::held_for_undo;
}

// With --every one that is being changed, or runs in a way in which its layers cannot be merged, is left for another
// time.
void prune_in_turn(const Context& context, const machine::RetentionRequest& request, Pruning& pruning) try {
  prune(context, request, pruning, removal(context));
} catch (const Error& error) {
  if (error.kind() != ErrorKind::busy || !context.arguments.has("--every")) throw;
  context.note(error.message());
}

Outcome run_snapshot_prune(const Context& context) {
  check_words(context.arguments);
  if (context.arguments.has("--simulate")) return simulate(context);
  const auto zone = time_zone(context);
  const auto request = retention_request(context, zone, context.host.now());
  const auto names = context.arguments.has("--every") ? open_store(context).names() : words_given(context.arguments);
  std::vector<Pruning> prunings;
  int status = for_each(context, names, [&](const std::string& name) {
    prunings.push_back(plan_pruning(context, machine_word(name), request));
  });
  const bool plans = context.dry_run();
  if (!plans && count_of_going(prunings) > 0) {
    context.confirm(question(prunings));
    std::vector<std::string> machines;
    for (const auto& pruning : prunings) machines.push_back(*pruning.machine);
    auto at = prunings.begin();
    const int pruned = for_each(context, machines, [&](const auto&) { prune_in_turn(context, request, *at++); });
    status = std::max(status, pruned);
  }
  const bool undo = removal(context) == Removal::held_for_undo;
  return {.report = prune_report(prunings, {request.now, zone.name(), !plans, undo}), .status = status};
}

std::vector<Option> options() {
  auto all = retention_options();
  all.insert(all.end(),
             {{.name = "--every", .help = "all machines of the store"},
              {.name = "--all", .help = "also snapshots that were not made by --auto"},
              {.name = "--simulate",
               .value = "FILE",
               .help = "what the rules make of a list, NAME<TAB>TIME[<TAB>manual] a line; - for stdin",
               .completes = Completes::file},
              {.name = "--now", .value = "TIME", .help = "with --simulate: as of then"},
              {.name = "--discard", .help = "hold nothing for undo: merge layers, and free what they took, at once"},
              yes_option(),
              dry_run_option()});
  return all;
}

}  // namespace

const Command snapshot_prune_command = {
    .name = "snapshot prune",
    .summary = "delete automatic snapshots, but for some of each hour, day, week and month",
    .options = options(),
    .positionals = {{"MACHINE", "the machines", Completes::machine, Positional::Count::any}},
    .run = run_snapshot_prune,
};

}  // namespace hrvm::cli
