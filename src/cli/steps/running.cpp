#include "cli/steps/running.hpp"

#include <fmt/core.h>

#include "cli/steps/changing.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t usual_patience = 60, longest_patience = 24 * 3600;

}  // namespace

launch::StopWay Run::stop(std::chrono::seconds patience, bool at_once) const {
  return domain ? domain->stop(patience, at_once) : launch::stop_run(layer, run_folder, patience, at_once);
}

bool Run::pause() const { return domain ? domain->pause() : launch::pause_run(run_folder); }

bool Run::resume() const { return domain ? domain->resume() : launch::resume_run(run_folder); }

launch::RestartWay Run::restart(std::chrono::seconds patience, bool at_once) const {
  return domain ? domain->restart(patience, at_once) : launch::restart_run(run_folder, patience, at_once);
}

std::string Run::screenshot() const {
  return domain ? domain->screenshot(run_folder / "screenshot.png") : launch::screenshot_run(run_folder);
}

std::vector<Run> runs_named(const Context& context, std::string_view name) {
  const auto machine = open_store(context).load(std::string(name));
  const auto folder = machine::run_folder(context.host, machine.definition);
  if (auto domain = launch::active_domain(context.host, machine))
    return {{machine.active_layer(), folder, false, std::move(domain)}};
  if (machine::run_state(machine) == machine::RunState::running) return {{machine.active_layer(), folder}};
  std::vector<Run> runs;
  for (const auto& used : machine::throw_away_folders(machine, true))
    runs.push_back({used / machine.definition.layer_name("layer"), folder / used.filename(), true});
  if (runs.empty()) throw Error(ErrorKind::not_found, fmt::format("machine {} is not running", name));
  return runs;
}

std::chrono::seconds patience_of(const Arguments& arguments) {
  const auto seconds = arguments.number("--timeout").value_or(usual_patience);
  if (seconds <= longest_patience) return std::chrono::seconds(seconds);
  throw Error(ErrorKind::usage, fmt::format("--timeout: {} is more than {} seconds", seconds, longest_patience));
}

Option patience_option() { return {.name = "--timeout", .value = "SEC", .help = "how long the guest has for it (60)"}; }

report::Report run_report(std::string_view command, const std::string& machine, std::string_view word,
                          std::string sentence) {
  return {.schema = fmt::format("hrvm.{}/1", command),
          .data = base::Json::object().set("machine", machine).set("done", word),
          .human = {report::TextView{std::move(sentence)}},
          .plain = {.columns = {{"", "machine"}, {"", "done"}}}};
}

}  // namespace hrvm::cli
