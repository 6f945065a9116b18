#include "cli/steps/try_hard.hpp"

#include <fmt/core.h>

#include "cli/steps/changing.hpp"
#include "hrvm/launch/firmware.hpp"
#include "hrvm/launch/ladder.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using launch::Rung;
using launch::Verdict;
using Clock = std::chrono::steady_clock;

// Emulated systems take their time, and a try that gets nowhere is given up earlier.
constexpr std::chrono::seconds usual_patience{300};

struct Try {
  Rung rung;
  Verdict verdict;
  std::chrono::seconds took;
  std::vector<std::string> console_tail;
};

std::string on(const Rung& rung) {
  return fmt::format("{} by {}", machine::word(rung.bus), rung.firmware == machine::Firmware::uefi ? "UEFI" : "BIOS");
}

Verdict verdict_of(launch::BootJudge& judge, const launch::WatchResult& result) {
  if (result.end == launch::WatchEnd::judged) return *judge.verdict(Clock::now());
  return {false, launch::Stage::system, "it switched itself off"};
}

Try run_try(const BootWords& words, const Rung& rung, const TryOnce& try_once) {
  auto tried = words;
  tried.request.hardware.bus = rung.bus;
  tried.request.hardware.firmware = rung.firmware;
  const auto start = Clock::now();
  launch::BootJudge judge(start, words.timeout.value_or(usual_patience));
  const auto result = try_once(tried, judge);
  const auto took = std::chrono::round<std::chrono::seconds>(Clock::now() - start);
  return {rung, verdict_of(judge, result), took, result.console_tail};
}

std::vector<Rung> first_ladder(const Context& context, const std::string& name) {
  const auto machine = open_store(context).load(name);
  const auto firmwares = launch::uefi_firmwares(context.host);
  const auto& definition = machine.definition;
  const bool has_uefi = launch::choose_uefi_firmware(firmwares, definition.active.hardware.secure_boot).has_value();
  return launch::ladder(definition.active.hardware, definition.base.sectors, has_uefi);
}

std::vector<Try> climb(const Context& context, const BootWords& words, const TryOnce& try_once) {
  std::vector<Try> tries;
  auto left = first_ladder(context, words.named.machine);
  while (!left.empty() && (tries.empty() || !tries.back().verdict.up)) {
    const auto rung = left.front();
    left.erase(left.begin());
    context.hint(fmt::format("try {}: {}", tries.size() + 1, on(rung)));
    tries.push_back(run_try(words, rung, try_once));
    context.hint(fmt::format("{}: {} ({} s)", on(rung), tries.back().verdict.what, tries.back().took.count()));
    left = launch::after_failure(std::move(left), rung, tries.back().verdict.stage);
  }
  return tries;
}

// Whether that was another hardware than it had.
bool keep(const Context& context, const std::string& name, const Rung& rung) {
  const auto locked = lock_stopped_machine(context, name);
  const auto& hardware = locked.machine.definition.active.hardware;
  if (hardware.bus == rung.bus && hardware.firmware == rung.firmware) return false;
  const auto change = plan_set(locked.machine, {{"bus", std::string(machine::word(rung.bus))},
                                                {"firmware", std::string(machine::word(rung.firmware))}});
  apply(locked.store, locked.machine, change, {});
  return true;
}

Json to_json(const Try& tried) {
  Json json;
  json.set("bus", std::string(machine::word(tried.rung.bus)));
  json.set("firmware", std::string(machine::word(tried.rung.firmware)));
  json.set("up", tried.verdict.up).set("stage", std::string(word(tried.verdict.stage)));
  json.set("seen", tried.verdict.what).set("seconds", std::uint64_t(tried.took.count()));
  json.set("console_tail", Json(tried.console_tail));
  return json;
}

report::Report report_of(const std::string& name, const std::vector<Try>& tries, bool changed, std::string sentence) {
  Json list = Json::array();
  for (const auto& tried : tries) list.push(to_json(tried));
  const std::vector<report::Column> columns{{"BUS", "bus"},
                                            {"FIRMWARE", "firmware"},
                                            {"UP", "up", report::Format::yes_no},
                                            {"SEEN", "seen"},
                                            {"SECONDS", "seconds", report::Format::text, report::Align::right}};
  return {.schema = "hrvm.boot/1",
          .data = Json::object().set("machine", name).set("tries", list).set("changed", changed),
          .human = {report::TableView{.title = "", .rows = "tries", .columns = columns, .when_empty = ""},
                    report::TextView{std::move(sentence)}},
          .plain = {.title = "", .rows = "tries", .columns = columns, .when_empty = ""}};
}

}  // namespace

Outcome try_hard(const Context& context, const BootWords& words, const TryOnce& try_once) {
  const auto& name = words.named.machine;
  const auto tries = climb(context, words, try_once);
  if (tries.empty() || !tries.back().verdict.up)
    return {.report = report_of(name, tries, false,
                                fmt::format("{} came up on none of them. What its console said:  hrvm boot {} "
                                            "--try-hard --json",
                                            name, name)),
            .status = 1};
  const bool changed = keep(context, name, tries.back().rung);
  const auto kept = changed ? " from its next boot on" : ", as it was set to";
  return {.report = report_of(name, tries, changed,
                              fmt::format("{} boots on {}{}:  hrvm boot {}", name, on(tries.back().rung), kept, name))};
}

}  // namespace hrvm::cli
