// hrvm move MACHINE [STORE]: a machine goes to another store, with all that it is.

#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/autostart.hpp"
#include "cli/steps/changing.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/machine_domain.hpp"
#include "hrvm/launch/runs.hpp"
#include "hrvm/launch/settled.hpp"
#include "hrvm/machine/move.hpp"
#include "hrvm/machine/objection.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::cli {
namespace {

struct Way {
  machine::Store from, to;
};

// Without STORE, --store names where it goes, not where it is.
Way way_of(const Context& context) {
  const auto& words = context.arguments.positionals();
  if (words.size() > 1) return {{context.host, context.store}, {context.host, sys::absolute(words[1])}};
  if (!context.arguments.has("--store"))
    throw base::Error(base::ErrorKind::usage, "move where to?")
        .hint(fmt::format("hrvm move {} STORE, a folder, which is made where there is none", words[0]));
  return {{context.host, usual_store(context.host)}, {context.host, context.store}};
}

report::Report report_of(const machine::Machine& machine, const Way& way, bool dry_run) {
  const auto to = way.to.folder().string();
  base::Json data;
  data.set("machine", machine.name).set("from", way.from.folder().string()).set("to", to);
  data.set("bytes", machine::bytes_to_move(machine));
  report::Report report{.schema = dry_run ? "hrvm.move-plan/1" : "hrvm.move/1",
                        .data = data,
                        .human = {report::TextView{fmt::format("{} {} to {}", dry_run ? "Would move" : "Moved",
                                                               machine.name, base::printable(to))}},
                        .plain = {.columns = {{"", "machine"}, {"", "from"}, {"", "to"}}}};
  if (!dry_run)
    report.human.push_back(
        report::TextView{fmt::format("  boot it:  hrvm boot {} --store {}", machine.name, base::shell_quote(to))});
  return report;
}

LockedMachine lock_in(const Context& context, const machine::Store& store, const std::string& name) {
  auto lock = store.lock(name);
  auto machine = launch::load_settled(context.host, store, name);
  launch::check_stopped(context.host, machine, "moved");
  machine::check_unused(machine.folder, name);
  return {store, std::move(lock), std::move(machine)};
}

Outcome run_move(const Context& context) {
  const auto name = machine_word(context.arguments.positional(0));
  const auto way = way_of(context);
  const auto locked = lock_in(context, way.from, name);
  way.from.check_files(locked.machine);
  machine::check_move(context.host, locked.machine, way.to, {context.arguments.has("--allow-volatile")});
  if (context.dry_run()) return {.report = report_of(locked.machine, way, true)};
  sys::Progress progress(context.host, "Moving " + name, machine::bytes_to_move(locked.machine), context.quiet);
  const auto moved = launch::change_with_domain(context.host, listener(context), locked.machine, [&] {
    return machine::move_machine(way.from, locked.machine, way.to, [&](std::uint64_t done) { progress.at(done); });
  });
  end_autostart(context, way.from, name);
  if (moved.definition.autostart) follow_autostart(context, way.to, moved);
  return {.report = report_of(moved, way, false)};
}

}  // namespace

const Command move_command = {
    .name = "move",
    .summary = "take a machine to another store",
    .options = {{.name = "--allow-volatile", .help = "also to a store that is lost with this boot of the host"},
                dry_run_option()},
    .positionals = {{"MACHINE", "the machine", Completes::machine_stopped},
                    {"STORE", "the folder that it goes to; else what --store names", Completes::file,
                     Positional::Count::optional}},
    .run = run_move,
};

}  // namespace hrvm::cli
