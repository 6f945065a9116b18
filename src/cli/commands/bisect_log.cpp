// hrvm bisect log MACHINE: what was said and tested, as lines that hrvm bisect replay takes.
#include "cli/commands/commands.hpp"
#include "cli/steps/bisecting.hpp"
#include "cli/views/bisect_view.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::cli {
namespace {

Outcome run_bisect_log(const Context& context) {
  const auto machine = open_store(context).load(machine_word(context.arguments.positional(0)));
  const auto bisect = begun_bisect(machine);
  auto report = bisect_report("bisect-log", machine, bisect);
  const auto script = bisect_script(machine, bisect);
  report.human.clear();
  for (const auto line : base::lines(script)) report.human.push_back(report::TextView{std::string(line)});
  report.plain = {};
  return {.report = std::move(report)};
}

}  // namespace

const Command bisect_log_command = {
    .name = "bisect log",
    .summary = "print what was found out so far, for hrvm bisect replay",
    .positionals = {{"MACHINE", "the machine", Completes::machine}},
    .run = run_bisect_log,
};

}  // namespace hrvm::cli
