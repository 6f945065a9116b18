// hrvm __complete -- WORD…: what the shims in completions/ ask at every Tab. One candidate a line, a tab and its
// description behind it where there is one; ":files" and ":folders" leave paths to the shell.
#include "cli/commands/commands.hpp"
#include "cli/words/candidates.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::cli {

static std::string line(const Candidate& candidate) {
  return candidate.description.empty() ? candidate.word
                                       : candidate.word + "\t" + base::printable(candidate.description);
}

static Outcome run_complete(const Context& context) {
  const auto found = candidates(context.host, context.store, context.arguments.positionals());
  report::Report report{.schema = "hrvm.complete/1", .data = base::Json::object()};
  base::Json lines = base::Json::array();
  for (const auto& candidate : found.words) lines.push(line(candidate));
  if (found.paths == Candidates::Paths::files) lines.push(":files");
  if (found.paths == Candidates::Paths::folders) lines.push(":folders");
  for (const auto& text : lines.items()) report.human.push_back(report::TextView{*text.text()});
  report.data.set("candidates", lines);
  return {.report = report};
}

const Command complete_command = {
    .name = "__complete",
    .summary = "print what could stand for the last word",
    .positionals = {{"WORD", "the words behind hrvm", Completes::nothing, Positional::Count::any}},
    .run = run_complete,
    .hidden = true,
};

}  // namespace hrvm::cli
