// hrvm log MACHINE: what was done with it, and what each step holds for undo; or what a run of it printed.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"
#include "cli/steps/kept_console.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/time.hpp"
#include "hrvm/machine/folder_layer.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using machine::Machine;
using report::Align;
using report::Format;

Json time_or_null(base::Time time) { return time == base::Time{} ? Json() : Json(base::format_time(time)); }

Json held_json(const Machine& machine, const machine::Step& step) {
  if (!step.holds_something()) return {};
  const auto until = step.when == base::Time{} ? step.when : step.when + machine::longest_held;
  std::vector<std::string> snapshots;
  for (const auto& snapshot : step.deleted) snapshots.push_back(snapshot.name);
  return Json::object()
      .set("layer", step.held ? Json(step.held->layer) : Json())
      .set("head", step.held ? Json(machine.definition.named(step.held->head)) : Json())
      .set("snapshots", snapshots)
      .set("allocated_bytes", bytes_held(machine, step))
      .set("until", time_or_null(until));
}

Json step_json(const Machine& machine, const machine::Step& step) {
  return Json::object()
      .set("number", step.number)
      .set("when", time_or_null(step.when))
      .set("what", step.what)
      .set("is_undo", step.is_undo)
      .set("held", held_json(machine, step));
}

report::Report report_of(const Machine& machine) {
  Json steps = Json::array();
  for (const auto& step : machine.definition.log) steps.push(step_json(machine, step));
  Json data;
  const auto* next = step_to_undo(machine.definition);
  data.set("machine", machine.name).set("steps", std::move(steps));
  data.set("next_undo", next ? Json(next->number) : Json());
  report::TableView human{.rows = "steps",
                          .columns = {{"STEP", "number", Format::text, Align::right},
                                      {"WHEN", "when", Format::time, Align::left, 3},
                                      {"WHAT", "what"},
                                      {"HOLDS", "held.allocated_bytes", Format::bytes, Align::right},
                                      {"ON", "held.head", Format::text, Align::left, 1},
                                      {"UNTIL", "held.until", Format::time, Align::left, 2}},
                          .when_empty = "Nothing is known of what was done with " + machine.name + "."};
  report::TableView plain{.rows = "steps",
                          .columns = {{"", "number"},
                                      {"", "when"},
                                      {"", "what"},
                                      {"", "held.allocated_bytes"},
                                      {"", "held.head"},
                                      {"", "held.until"}}};
  return {.schema = "hrvm.log/1",
          .data = data,
          .human = {std::move(human), report::FieldsView{.fields = {{"The next undo takes back step", "next_undo"}}}},
          .plain = std::move(plain)};
}

Outcome run_log(const Context& context) {
  check_kept_console_words(context);
  const auto machine = open_store(context).load(machine_word(context.arguments.positional(0)));
  if (context.arguments.has("--console")) return show_kept_console(context, machine);
  return {.report = report_of(machine)};
}

}  // namespace

const Command log_command = {
    .name = "log",
    .summary = "list what was done with a machine, or print its console's past",
    .options = kept_console_options(),
    .positionals = {{"MACHINE", "the machine", Completes::machine}},
    .run = run_log,
};

}  // namespace hrvm::cli
