// hrvm stop MACHINE…: asks the guests to power down, and ends QEMU when one does not.
#include <fmt/core.h>

#include "cli/commands/commands.hpp"
#include "cli/steps/running.hpp"
#include "cli/steps/several.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::cli {
namespace {

using base::Json;

// One that was stopped alone is told as ever; of several, each in a list.
report::Report stop_report(const Json& stopped, const std::vector<std::string>& sentences) {
  Json data;
  const auto& all = stopped.items();
  data.set("machine", all.size() == 1 ? all[0]["machine"] : Json());
  data.set("stopped", all.size() == 1 ? all[0]["stopped"] : Json()).set("machines", stopped);
  std::vector<report::View> human;
  for (const auto& sentence : sentences) human.push_back(report::TextView{sentence});
  return {.schema = "hrvm.stop/1",
          .data = data,
          .human = std::move(human),
          .plain = {.rows = "machines", .columns = {{"", "machine"}, {"", "stopped"}}}};
}

// Whether it ended by itself.
bool powers_down(const Context& context, const std::string& name) {
  const auto patience = patience_of(context.arguments);
  bool quit = false;
  for (const auto& run : runs_named(context, name)) {
    quit |= run.stop(patience, context.arguments.has("--force")) == launch::StopWay::quit;
    if (run.throw_away) launch::remove_throw_away(run);
  }
  return !quit;
}

std::string sentence(const std::string& name, bool powered_down, bool force) {
  if (powered_down) return fmt::format("{} has powered down", name);
  return force ? fmt::format("{} was ended", name) : fmt::format("{} did not power down, and was ended", name);
}

bool runs(const Context& context, const std::string& name) {
  try {
    return !runs_named(context, name).empty();
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::not_found) throw;
    return false;
  }
}

std::vector<std::string> named(const Context& context) {
  const auto words = words_given(context.arguments);
  if (!words.empty() && context.arguments.has("--all"))
    throw base::Error(base::ErrorKind::usage, "--all and a machine's name exclude each other");
  if (words.empty() && !context.arguments.has("--all"))
    throw base::Error(base::ErrorKind::usage, "hrvm stop needs MACHINE")
        .hint("name those to stop, or add --all: usage: hrvm stop [OPTION…] [MACHINE…]");
  return context.arguments.has("--all") ? open_store(context).names() : words;
}

Outcome run_stop(const Context& context) {
  const bool all = context.arguments.has("--all");
  Json stopped = Json::array();
  std::vector<std::string> sentences;
  const int status = for_each(context, named(context), [&](const std::string& name) {
    if (all && !runs(context, name)) return;
    bool powered_down = powers_down(context, name);
    // Behind the machine's own run those in throw-away layers come to light.
    while (all && runs(context, name)) powered_down &= powers_down(context, name);
    stopped.push(Json::object().set("machine", name).set("stopped", powered_down ? "powered-down" : "quit"));
    sentences.push_back(sentence(name, powered_down, context.arguments.has("--force")));
  });
  if (all && sentences.empty() && status == 0) sentences.emplace_back("No machine runs.");
  return {.report = stop_report(stopped, sentences), .status = status};
}

}  // namespace

const Command stop_command = {
    .name = "stop",
    .summary = "power running machines down",
    .options = {patience_option(),
                {.name = "--force", .help = "end it at once, as if the power were cut"},
                {.name = "--all", .help = "all that run"}},
    .positionals = {{"MACHINE[@SNAP]", "the machines, or what runs of a snapshot", Completes::machine_running,
                     Positional::Count::any}},
    .run = run_stop,
};

}  // namespace hrvm::cli
