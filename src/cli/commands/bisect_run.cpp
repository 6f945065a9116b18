// hrvm bisect run MACHINE [-- COMMAND…]: tests one state after another in throw-away layers until the first bad one is
// known.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/messages.hpp"
#include "cli/steps/bisecting.hpp"
#include "cli/steps/comparing.hpp"
#include "cli/views/bisect_view.hpp"
#include "cli/words/boot_words.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/launch/run.hpp"
#include "hrvm/launch/trial.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;

void check_words(const Arguments& arguments, const launch::TrialRequest& request) {
  for (const auto* option : {"--wait-for", "--fail-on"})
    if (arguments.has(option) && !request.boots)
      throw Error(ErrorKind::usage, fmt::format("{} is for a machine that boots", option))
          .hint("add --boot: the command is run once it has come");
  if (arguments.has("--boot") && request.command.empty())
    throw Error(ErrorKind::usage, "--boot is for a command that needs the machine to run")
        .hint("leave it out: without a command it boots");
}

launch::TrialRequest trial_request(const Context& context) {
  const auto& arguments = context.arguments;
  const auto& words = arguments.positionals();
  launch::TrialRequest request;
  request.wait_for = arguments.value("--wait-for");
  request.fail_on = arguments.value("--fail-on");
  for (const auto& expression : {request.wait_for, request.fail_on})
    if (expression) launch::check_pattern(*expression);
  request.timeout = boot_timeout(arguments);
  request.command.assign(words.begin() + 1, words.end());
  request.boots = request.command.empty() || arguments.has("--boot");
  check_words(arguments, request);
  return request;
}

launch::BootRequest boot_request(const Context& context, const std::string& machine) {
  launch::BootRequest request;
  request.machine = machine;
  request.launch.accelerator = accelerator_word(context.arguments);
  request.force = context.arguments.has("--force");
  return request;
}

launch::BisectListener told(const Context& context, const machine::Machine& machine) {
  return {
      .begins =
          [&](const machine::BisectState& state, const machine::BisectStanding& standing) {
            context.hint(fmt::format("testing {}; about {} to go", full_name(machine, state), tests_left(standing)));
          },
      .ended =
          [&](const machine::BisectState& state, const machine::BisectTest& test) {
            context.hint(fmt::format("{}: {}", full_name(machine, state), verdict_text(test)));
          }};
}

// Of a machine on a disk what changed from the last good state to the first bad one, files and packages. The search is
// over: what cannot be compared is said, and costs nothing of it.
void add_difference(const Context& context, const machine::Machine& machine, const machine::Bisect& bisect,
                    report::Report& report) {
  const auto standing = machine::standing(bisect);
  report.data.set("diff", nullptr).set("packages", nullptr);
  if (standing.end != machine::BisectStanding::End::found || machine.definition.is_on_folder()) return;
  try {
    const auto &good = bisect.states[standing.good], &bad = bisect.states[standing.bad];
    const auto bad_name = named_machine(state_word(machine, bad));
    const auto from =
        good.layer.empty() ? open_base_of(context, bad_name) : open_what(context, state_word(machine, good));
    const auto to = open_what(context, state_word(machine, bad));
    DiffWishes wishes;
    wishes.packages = true;
    auto view = diff_view(compare_sources(context, from, to, {.packages = true}), wishes);
    report.data.set("packages", view.report.data["packages"]).set("diff", std::move(view.report.data));
    report.human.push_back(packages_table("Packages"));
  } catch (const Error& error) {
    context.warn(fmt::format("what changed in between is not told: {}", error.message()));
  }
}

Outcome run_bisect_run(const Context& context) {
  const auto name = machine_word(context.arguments.positional(0));
  const auto request = trial_request(context);
  const auto store = open_store(context);
  const auto machine = store.load(name);
  begun_bisect(machine);
  const auto bisect = launch::run_bisect(context.host, store, boot_request(context, name), request, listener(context),
                                         told(context, machine), console_listener(context));
  const auto after = store.load(name);
  auto outcome = bisect_outcome("bisect-run", after, bisect);
  add_difference(context, after, bisect, *outcome.report);
  return outcome;
}

}  // namespace

const Command bisect_run_command = {
    .name = "bisect run",
    .summary = "test state after state until the first bad one is known",
    .options = {{.name = "--wait-for", .value = "REGEX", .help = "good when the serial console shows this"},
                {.name = "--fail-on", .value = "REGEX", .help = "bad when it shows this"},
                {.name = "--timeout", .value = "SEC", .help = "bad when so much time has passed"},
                {.name = "--boot", .help = "the command is run while the machine runs"},
                {.name = "--accel", .value = "KIND", .help = "what runs it", .choices = {"auto", "kvm", "tcg"}},
                {.name = "--force", .help = "boot although the disk has changed or is in use, or space is low"}},
    .positionals = {{"MACHINE", "the machine", Completes::machine},
                    {"COMMAND", "what tells good (0) from bad (1 to 124) and neither (125), behind --", Completes::file,
                     Positional::Count::any}},
    .run = run_bisect_run,
};

}  // namespace hrvm::cli
