// hrvm snapshot flatten MACHINE: layers that no snapshot's name needs are merged into what lies on them.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::cli {
namespace {

using base::Json;

// Above it reads get slow, as doctor says.
constexpr std::uint64_t usual_depth = 3;

std::uint64_t depth_of(const machine::Machine& machine) {
  return machine.definition.chain(machine.definition.active).size();
}

// Each is planned on what the machine would be by then.
Json planned(const Context& context, LockedMachine& locked, std::uint64_t depth) {
  Json plans = Json::array();
  while (depth_of(locked.machine) > depth) {
    const auto change = plan_nameless_merge(locked.machine, draw(context.host, locked.store, locked.machine));
    if (!change) break;
    plans.push(to_json(*change));
    locked.machine.definition = change->definition;
  }
  return plans;
}

Json merged(const Context& context, LockedMachine& locked, std::uint64_t depth) {
  Json changes = Json::array();
  while (depth_of(locked.machine) > depth) {
    const auto change = plan_nameless_merge(locked.machine, draw(context.host, locked.store, locked.machine));
    if (!change) break;
    check_merged(locked, *change);
    locked.machine = make(context, locked, *change, [](std::uint64_t) { sys::check_interrupted(); });
    changes.push(to_json(*change));
  }
  return changes;
}

std::string layers_text(std::uint64_t count) { return fmt::format("{} layer{}", count, count == 1 ? "" : "s"); }

report::Report report_of(const Context& context, const LockedMachine& locked, std::uint64_t before, Json changes) {
  const auto after = depth_of(locked.machine);
  const bool plans = context.dry_run();
  const auto count = changes.items().size();
  Json data;
  data.set("machine", locked.machine.name).set("merged", count).set("depth_before", before).set("depth", after);
  data.set(plans ? "plan" : "changes", std::move(changes));
  const auto text = count == 0
                        ? fmt::format("{} lies on {}, and none is merged", locked.machine.name, layers_text(after))
                        : fmt::format("{} {} of {}, which lies on {} then", plans ? "Would merge" : "Merged",
                                      layers_text(count), locked.machine.name, after);
  return {.schema = plans ? "hrvm.snapshot-flatten-plan/1" : "hrvm.snapshot-flatten/1",
          .data = std::move(data),
          .human = {report::TextView{text}},
          .plain = {.columns = {{"", "machine"}, {"", "merged"}, {"", "depth"}}}};
}

Outcome run_snapshot_flatten(const Context& context) {
  const auto name = machine_word(context.arguments.positional(0));
  const auto depth = context.arguments.number("--depth").value_or(1);
  auto locked = lock_machine_to_merge(context, name);
  const auto before = depth_of(locked.machine);
  auto changes = context.dry_run() ? planned(context, locked, depth) : merged(context, locked, depth);
  if (const auto after = depth_of(locked.machine); depth <= usual_depth && after > usual_depth)
    context.note(fmt::format("{0} still lies on {1} layers, which snapshots or its guest need: hrvm snapshot tree {0}",
                             name, after));
  return {.report = report_of(context, locked, before, std::move(changes))};
}

}  // namespace

const Command snapshot_flatten_command = {
    .name = "snapshot flatten",
    .summary = "merge the layers that no snapshot's name needs",
    .options = {{.name = "--depth",
                 .value = "N",
                 .help = "stop at so many layers under what the machine shows now (1)"},
                dry_run_option()},
    .positionals = {{"MACHINE", "the machine", Completes::machine}},
    .run = run_snapshot_flatten,
};

}  // namespace hrvm::cli
