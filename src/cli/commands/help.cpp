// hrvm help [COMMAND…]: the same as hrvm COMMAND --help.
#include "cli/commands/commands.hpp"
#include "cli/words/help_text.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::cli {

static Outcome run_help(const Context& context) {
  const auto topic = base::join(context.arguments.positionals(), " ");
  const auto text = help_text(topic, help_style(context.host, context.arguments));
  base::Json data;
  data.set("topic", topic).set("text", text);
  return {.report = report::Report{.schema = "hrvm.help/1", .data = data, .human = {report::TextView{text, true}}}};
}

const Command help_command = {
    .name = "help",
    .summary = "print help for the tool or a command",
    .positionals = {{"COMMAND", "\"boot\", \"snapshot\", \"snapshot create\"", Completes::command,
                     Positional::Count::any}},
    .run = run_help,
};

}  // namespace hrvm::cli
