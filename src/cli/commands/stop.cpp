// hrvm stop MACHINE: asks the guest to power down, and ends QEMU when it does not.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"
#include "cli/steps/running.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::cli {
namespace {

using base::Json;

report::Report stop_report(const std::string& name, std::string_view how, std::string text) {
  return {.schema = "hrvm.stop/1",
          .data = Json::object().set("machine", name).set("stopped", how),
          .human = {report::TextView{std::move(text)}},
          .plain = {.columns = {{"", "machine"}, {"", "stopped"}}}};
}

Outcome run_stop(const Context& context) {
  const auto name = machine_word(context.arguments.positional(0));
  const auto patience = patience_of(context.arguments);
  const bool force = context.arguments.has("--force");
  const auto runs = runs_named(context, name);
  bool quit = false;
  for (const auto& run : runs) {
    quit |= run.stop(patience, force) == launch::StopWay::quit;
    if (run.throw_away) sys::remove_all(run.run_folder);
  }
  if (!quit) return {.report = stop_report(name, "powered-down", fmt::format("{} has powered down", name))};
  const auto text =
      force ? fmt::format("{} was ended", name) : fmt::format("{} did not power down, and was ended", name);
  return {.report = stop_report(name, "quit", text)};
}

}  // namespace

const Command stop_command = {
    .name = "stop",
    .summary = "power a running machine down",
    .options = {patience_option(), {.name = "--force", .help = "end it at once, as if the power were cut"}},
    .positionals = {{"MACHINE", "the machine", Completes::machine}},
    .run = run_stop,
};

}  // namespace hrvm::cli
