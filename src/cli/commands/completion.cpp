// hrvm completion SHELL: prints the shim that lets a shell ask hrvm itself what could come next.
#include <array>

#include "cli/commands/commands.hpp"
#include "cli/commands/completion_shims.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::cli {

struct Shell {
  std::string_view name;
  const std::string_view& shim;
};
static constexpr std::array<Shell, 3> shells = {{
    {"bash", bash_completion},
    {"zsh", zsh_completion},
    {"fish", fish_completion},
}};

static report::Report completion_report(const Shell& shell) {
  base::Json data;
  data.set("shell", shell.name).set("script", shell.shim);
  return {.schema = "hrvm.completion/1", .data = data, .human = {report::TextView{std::string(shell.shim)}}};
}

static Outcome run_completion(const Context& context) {
  const auto& wanted = context.arguments.positional(0);
  for (const auto& shell : shells) {
    if (shell.name == wanted) return {.report = completion_report(shell)};
  }
  throw base::Error(base::ErrorKind::usage, "no completion for the shell \"" + base::printable(wanted) + "\"")
      .hint("there is one for bash, zsh and fish");
}

const Command completion_command = {
    .name = "completion",
    .summary = "print the completion of a shell, to be sourced by it",
    .positionals = {{"SHELL", "bash, zsh or fish", Completes::shell}},
    .run = run_completion,
};

}  // namespace hrvm::cli
