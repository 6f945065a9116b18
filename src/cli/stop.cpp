// hrvm stop MACHINE: asks the guest to power down, and ends QEMU when it does not.
#include <fmt/core.h>

#include "cli/changing.hpp"
#include "cli/commands.hpp"
#include "cli/named_machine.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/launch/run.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;

constexpr std::uint64_t usual_patience = 60, longest_patience = 24 * 3600;

struct Run {
  machine::Path layer, run_folder;
  bool throw_away = false;
};

// The machine's own run, else those of it in throw-away layers.
std::vector<Run> runs_of(const sys::Host& host, const machine::Machine& machine) {
  const auto folder = machine::run_folder(host, machine.definition);
  if (machine::run_state(machine) == machine::RunState::running) return {{machine.active_layer(), folder}};
  std::vector<Run> runs;
  for (const auto& used : machine::throw_away_folders(machine, true))
    runs.push_back({used / "layer.qcow2", folder / used.filename(), true});
  return runs;
}

std::chrono::seconds patience_of(const Arguments& arguments) {
  const auto seconds = arguments.number("--timeout").value_or(usual_patience);
  if (seconds <= longest_patience) return std::chrono::seconds(seconds);
  throw Error(ErrorKind::usage, fmt::format("--timeout: {} is more than {} seconds", seconds, longest_patience));
}

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
  const auto machine = open_store(context).load(name);
  const auto runs = runs_of(context.host, machine);
  if (runs.empty()) throw Error(ErrorKind::not_found, fmt::format("machine {} is not running", name));
  bool quit = false;
  for (const auto& run : runs) {
    quit |= launch::stop_run(run.layer, run.run_folder, patience, force) == launch::StopWay::quit;
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
    .options = {{.name = "--timeout", .value = "SEC", .help = "how long the guest has for it (60)"},
                {.name = "--force", .help = "end it at once, as if the power were cut"}},
    .positionals = {{"MACHINE", "the machine", Completes::machine}},
    .run = run_stop,
};

}  // namespace hrvm::cli
