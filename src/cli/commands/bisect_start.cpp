// hrvm bisect start MACHINE [BAD [GOOD]]: begins the search for the first state that is bad.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/bisecting.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::cli {
namespace {

void check_none_begun(const machine::Machine& machine) {
  const auto before = load_bisect(machine);
  if (!before) return;
  throw base::Error(base::ErrorKind::exists, fmt::format("a bisect of {} was begun before", machine.name))
      .hint(fmt::format("hrvm bisect status {0} tells how far it is; hrvm bisect reset {0} ends it", machine.name));
}

Outcome run_bisect_start(const Context& context) {
  const auto& words = context.arguments.positionals();
  const auto locked = lock_machine(context, machine_word(words[0]));
  const auto& machine = locked.machine;
  check_none_begun(machine);
  machine::BisectRequest request{.by_time = context.arguments.has("--by-time")};
  if (words.size() > 1) request.bad = state_word(machine.name, words[1]);
  if (words.size() > 2) request.good = state_word(machine.name, words[2]);
  if (words.size() > 3) throw base::Error(base::ErrorKind::usage, "more than a bad and a good state were named");
  const auto bisect = begin_bisect(machine, request, context.host.now());
  keep_bisect(machine, bisect);
  return bisect_outcome("bisect-start", machine, bisect);
}

}  // namespace

const Command bisect_start_command = {
    .name = "bisect start",
    .summary = "begin to search for the first state that is bad",
    .options = {{.name = "--by-time", .help = "all snapshots made in between, whatever they lie on"}},
    .positionals = {{"MACHINE", "the machine", Completes::machine},
                    {"STATE", "what is bad (else its current state), and what is good (else its base)",
                     Completes::snapshot, Positional::Count::any}},
    .run = run_bisect_start,
};

}  // namespace hrvm::cli
