#include "cli/steps/try_hard.hpp"

#include <fmt/core.h>

#include "cli/messages.hpp"
#include "hrvm/launch/climb.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using launch::Rung;
using launch::Try;

std::string on(const Rung& rung) {
  return fmt::format("{} by {}", machine::word(rung.bus), rung.firmware == machine::Firmware::uefi ? "UEFI" : "BIOS");
}

launch::ClimbListener told(const Context& context) {
  return {.begins = [&context](std::size_t number,
                               const Rung& rung) { context.hint(fmt::format("try {}: {}", number, on(rung))); },
          .ended =
              [&context](const Try& tried) {
                context.hint(fmt::format("{}: {} ({} s)", on(tried.rung), tried.verdict.what, tried.took.count()));
              }};
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

Outcome try_hard(const Context& context, const machine::Store& store, const BootWords& words,
                 const launch::WatchRequest& watch) {
  const auto& name = words.boot.machine;
  const auto try_rung = [&](const Rung& rung) {
    return launch::try_rung(context.host, store, words.boot, rung, words.timeout, listener(context), watch.on_line);
  };
  const auto rungs = launch::first_ladder(context.host, store.load(name));
  const auto tries = launch::climb(rungs, try_rung, told(context));
  if (tries.empty() || !tries.back().verdict.up)
    return {.report = report_of(name, tries, false,
                                fmt::format("{} came up on none of them. What its console said:  hrvm boot {} "
                                            "--try-hard --json",
                                            name, name)),
            .status = 1};
  const bool changed = launch::keep_rung(context.host, store, name, tries.back().rung);
  const auto kept = changed ? " from its next boot on" : ", as it was set to";
  return {.report = report_of(name, tries, changed,
                              fmt::format("{} boots on {}{}:  hrvm boot {}", name, on(tries.back().rung), kept, name))};
}

}  // namespace hrvm::cli
