#include "cli/steps/running.hpp"

#include <fmt/core.h>

#include "cli/words/named_machine.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/run_record.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t usual_patience = 60, longest_patience = 24 * 3600;

}  // namespace

std::vector<launch::Run> runs_named(const Context& context, const std::string& word) {
  const auto named = named_machine(word);
  const auto machine = open_store(context).load(named.machine);
  if (!named.snapshot) return launch::runs_of(context.host, machine);
  std::vector<launch::Run> runs;
  for (auto& run : launch::throw_away_runs(context.host, machine))
    if (const auto record = launch::run_record(run.run_folder); record && record->snapshot == named.snapshot)
      runs.push_back(std::move(run));
  if (runs.empty())
    throw Error(ErrorKind::not_found, fmt::format("{} is not running", base::printable(word)))
        .hint(fmt::format("hrvm show {} lists what runs of it", named.machine));
  return runs;
}

std::chrono::seconds patience_of(const Arguments& arguments) {
  const auto seconds = arguments.number("--timeout").value_or(usual_patience);
  if (seconds <= longest_patience) return std::chrono::seconds(seconds);
  throw Error(ErrorKind::usage, fmt::format("--timeout: {} is more than {} seconds", seconds, longest_patience));
}

Option patience_option() { return {.name = "--timeout", .value = "SEC", .help = "how long the guest has for it (60)"}; }

static bool runs(const Context& context, const machine::Machine& machine) {
  return machine::run_state(machine) != machine::RunState::stopped || launch::active_domain(context.host, machine);
}

bool is_to_be_stopped(const Context& context, const std::string& name, std::string_view verb) {
  if (context.dry_run()) return false;
  if (context.arguments.has("--stop")) return true;
  const auto& streams = context.host.streams;
  const bool can_ask = streams.in_is_terminal && streams.err_is_terminal && !context.arguments.has("--yes");
  if (!can_ask || !runs(context, open_store(context).load(name))) return false;
  context.confirm(fmt::format("{} is running: stop it and {}?", name, verb));
  return true;
}

void stop_first(const Context& context, const std::string& name) {
  const auto machine = open_store(context).load(name);
  if (!runs(context, machine)) return;
  for (const auto& run : launch::runs_of(context.host, machine))
    if (run.stop(std::chrono::seconds(usual_patience), false) == launch::StopWay::quit)
      context.note(fmt::format("{} did not power down, and was ended", name));
}

Option stop_option() { return {.name = "--stop", .help = "stop the machine first, where it runs"}; }

report::Report run_report(std::string_view command, const std::string& machine, std::string_view word,
                          std::string sentence) {
  return {.schema = fmt::format("hrvm.{}/1", command),
          .data = base::Json::object().set("machine", machine).set("done", word),
          .human = {report::TextView{std::move(sentence)}},
          .plain = {.columns = {{"", "machine"}, {"", "done"}}}};
}

}  // namespace hrvm::cli
