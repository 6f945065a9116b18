// hrvm rename MACHINE NEW: one rename of its folder. Nothing in it names the machine.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/autostart.hpp"
#include "cli/steps/changing.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/launch/machine_domain.hpp"
#include "hrvm/machine/objection.hpp"

namespace hrvm::cli {
namespace {

report::Report report_of(const std::string& from, const std::string& to, bool dry_run) {
  base::Json data;
  data.set("machine", from).set("new_name", to);
  return {.schema = dry_run ? "hrvm.rename-plan/1" : "hrvm.rename/1",
          .data = data,
          .human = {report::TextView{fmt::format("{} {} to {}", dry_run ? "Would rename" : "Renamed", from, to)}},
          .plain = {.columns = {{"", "machine"}, {"", "new_name"}}}};
}

machine::Machine renamed(const LockedMachine& locked, const std::string& new_name) {
  locked.store.rename(locked.machine.name, new_name);
  return locked.store.load(new_name);
}

Outcome run_rename(const Context& context) {
  const auto name = machine_word(context.arguments.positional(0));
  const auto& new_name = context.arguments.positional(1);
  const auto locked = lock_stopped_machine(context, name);
  machine::check_unused(locked.machine.folder, name);
  check_new_name(locked.store, new_name);
  if (!context.dry_run()) {
    const auto machine = launch::change_with_domain(context.host, listener(context), locked.machine,
                                                    [&] { return renamed(locked, new_name); });
    end_autostart(context, locked.store, name);
    if (machine.definition.autostart) follow_autostart(context, locked.store, machine);
  }
  return {.report = report_of(name, new_name, context.dry_run())};
}

}  // namespace

const Command rename_command = {
    .name = "rename",
    .summary = "give a machine another name",
    .options = {dry_run_option()},
    .positionals = {{"MACHINE", "the machine", Completes::machine_stopped}, {"NEW", "its new name"}},
    .run = run_rename,
};

}  // namespace hrvm::cli
