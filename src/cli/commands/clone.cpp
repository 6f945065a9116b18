// hrvm clone MACHINE[@SNAP] NEW: a second machine of what one shows, which shares what is frozen in it.
#include "hrvm/machine/clone.hpp"

#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"
#include "cli/views/machine_view.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/launch/runs.hpp"
#include "hrvm/machine/folder_layer.hpp"
#include "hrvm/machine/import_sources.hpp"
#include "hrvm/machine/objection.hpp"
#include "hrvm/machine/storage.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;

bool has_run(const Context& context, const machine::Machine& machine) {
  return machine::run_state(machine) == machine::RunState::running || launch::active_domain(context.host, machine);
}

// A guest writes to what is not frozen, and its TPM to what that remembers.
void check_at_rest(const Context& context, const machine::Machine& machine, const NamedMachine& from) {
  if (!has_run(context, machine)) return;
  if (!from.snapshot)
    throw machine::running(machine, "is running, and is cloned then from a snapshot of it alone (MACHINE@SNAP)");
  if (machine::snapshot_of(machine, *from.snapshot).hardware.tpm)
    throw machine::running(machine, "is running, and its TPM is not copied meanwhile");
}

// A clone of what is damaged would be another one.
void check_files(const machine::Store& store, const machine::Machine& machine, const NamedMachine& from) {
  store.check_files(machine, state_of(machine, from.snapshot));
}

// Of what is not frozen a copy is made; of the rest where there are no links, which shows then.
void check_room(const Context& context, const machine::Machine& machine, const NamedMachine& from) {
  if (from.snapshot) return;
  const auto needed = machine::allocated_bytes(machine, machine.definition.active.layer);
  const auto space = context.host.space(machine.folder);
  if (needed + machine::room_to_keep(space) <= space.available_bytes) return;
  throw Error(ErrorKind::refused, fmt::format("the clone of {} takes {}, and the store has {} left", machine.name,
                                              base::format_bytes(needed), base::format_bytes(space.available_bytes)))
      .on(machine.folder)
      .hint("make room in the store, or clone a snapshot, which takes none");
}

report::Report report_of_plan(const NamedMachine& from, const std::string& name, const machine::Change& plan) {
  Json data;
  data.set("machine", from.machine).set("snapshot", from.snapshot).set("new_name", name).set("plan", to_json(plan));
  return {.schema = "hrvm.clone-plan/1",
          .data = data,
          .human = {report::TextView{"Would " + plan.what}},
          .plain = {.columns = {{"", "machine"}, {"", "new_name"}}}};
}

report::Report report_of(const Context& context, const NamedMachine& from, const machine::Clone& clone) {
  Json data;
  data.set("machine", from.machine).set("snapshot", from.snapshot).set("new_name", clone.machine.name);
  data.set("shared_bytes", clone.shared_bytes).set("copied_bytes", clone.copied_bytes);
  data.set("machines", Json::Array{machine_json(context.host, clone.machine)});
  const auto whole = from.snapshot ? fmt::format("{}@{}", from.machine, *from.snapshot) : from.machine;
  std::vector<report::View> human = {
      report::TextView{fmt::format("{} is a clone of {}: {} are shared, {} were copied", clone.machine.name, whole,
                                   base::format_bytes(clone.shared_bytes), base::format_bytes(clone.copied_bytes))}};
  if (!context.quiet) human.push_back(report::TextView{"  boot it:  hrvm boot " + clone.machine.name});
  return {.schema = "hrvm.clone/1",
          .data = data,
          .human = std::move(human),
          .plain = {.columns = {{"", "machine"}, {"", "new_name"}}},
          .names = std::vector<std::string>{clone.machine.name}};
}

// No order of locks is needed: that of the new machine is never waited for.
Outcome run_clone(const Context& context) {
  const auto from = named_machine(context.arguments.positional(0));
  const auto& name = context.arguments.positional(1);
  const auto locked = lock_machine(context, from.machine);
  const auto& machine = locked.machine;
  check_new_name(locked.store, name);
  const machine::CloneRequest request{name, from.snapshot, context.host.new_guid(), machine::draw_mac(context.host)};
  const auto plan = plan_clone(machine, request, draw(context.host, locked.store));
  check_at_rest(context, machine, from);
  check_files(locked.store, machine, from);
  if (context.dry_run()) return {.report = report_of_plan(from, name, plan)};
  check_room(context, machine, from);
  sys::Progress progress(context.host, "Cloning " + machine.name, 0, context.quiet);
  const auto clone =
      clone_machine(locked.store, machine, request, plan, [&](std::uint64_t done) { progress.at(done); });
  return {.report = report_of(context, from, clone)};
}

}  // namespace

const Command clone_command = {
    .name = "clone",
    .summary = "make a second machine of what one shows, or of a snapshot",
    .options = {dry_run_option()},
    .positionals = {{"MACHINE[@SNAP]", "the machine, or its snapshot", Completes::machine_or_snapshot},
                    {"NEW", "the new machine's name"}},
    .run = run_clone,
};

}  // namespace hrvm::cli
