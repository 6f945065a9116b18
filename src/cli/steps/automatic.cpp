#include "cli/steps/automatic.hpp"

#include <fmt/core.h>

#include "cli/steps/live_create.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/autostart.hpp"
#include "hrvm/launch/runs.hpp"
#include "hrvm/machine/pending_snapshot.hpp"

namespace hrvm::cli {
namespace {

using base::Json;

Outcome say_unchanged(const Context& context, const machine::Machine& machine, const std::string& since) {
  Json data;
  data.set("machine", machine.name)
      .set("head", machine.definition.named(machine.definition.active.head))
      .set("snapshot", nullptr);
  data.set("unchanged_since", since);
  const auto text = fmt::format("{0} has not changed since {0}@{1}: no snapshot is made", machine.name, since);
  return {.report =
              report::Report{.schema = context.dry_run() ? "hrvm.snapshot-create-plan/1" : "hrvm.snapshot-create/1",
                             .data = std::move(data),
                             .human = {report::TextView{text}},
                             .plain = {.columns = {{"", "machine"}, {"", "head"}}},
                             .names = std::vector<std::string>()}};
}

}  // namespace

AutomaticPlan plan_automatic(const Context& context, const LockedMachine& locked, const std::string& description) {
  const auto& machine = locked.machine;
  locked.store.check_files(machine, machine.definition.active);
  if (const auto* since = unchanged_since(machine)) return {since->name};
  const auto drawn = draw(context.host, locked.store, machine);
  const auto snapshot = automatic_name(machine.definition, drawn.now);
  if (drawn.is_running && launch::runs_live(context.host, machine)) {
    auto pending = plan_pending_snapshot(machine, snapshot, description, drawn);
    pending.definition.pending->is_auto = true;
    return {snapshot, std::move(pending), true};
  }
  launch::check_stopped(context.host, machine, "changed");
  auto change = plan_snapshot_create(machine, snapshot, description, drawn);
  mark_automatic(change);
  return {snapshot, std::move(change)};
}

machine::Definition planned(const AutomaticPlan& plan, const LockedMachine& locked, const machine::Drawn& drawn) {
  if (!plan.change) return locked.machine.definition;
  if (!plan.is_live) return plan.change->definition;
  auto machine = locked.machine;
  machine.definition = plan.change->definition;
  return plan_pending_kept(machine, machine::Consistency::crash, drawn).definition;
}

void make_planned(const Context& context, const LockedMachine& locked, const AutomaticPlan& plan) {
  if (!plan.change) return;
  if (plan.is_live)
    make_live(context, locked, *plan.change, {.machine_lock = locked.lock.fd()});
  else
    make(context, locked, *plan.change, [](std::uint64_t) {});
}

Outcome keep_automatically(const Context& context, const std::string& name) {
  const auto locked = lock_machine(context, name);
  const auto plan = plan_automatic(context, locked, context.arguments.value("--message").value_or(""));
  if (!plan.change) return say_unchanged(context, locked.machine, plan.snapshot);
  if (plan.is_live) return create_live(context, locked, *plan.change);
  ChangeWords words{"snapshot-create", fmt::format("{}@{} keeps {} as it is now", name, plan.snapshot, name), {}};
  words.made = name + "@" + plan.snapshot;
  return carry_out(context, locked, *plan.change, words);
}

void tell_of_timer(const Context& context, const machine::Store& store) {
  if (!launch::is_store_of_units(store))
    return context.hint(
        fmt::format("what makes them is: hrvm --store {} snapshot auto", base::shell_quote(store.folder().string())));
  if (!launch::is_snapshot_timer_enabled(context.host))
    context.hint("what makes them: systemctl enable --now hrvm-snapshot.timer");
}

}  // namespace hrvm::cli
