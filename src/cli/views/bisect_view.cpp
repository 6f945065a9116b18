#include "cli/views/bisect_view.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/text.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using machine::Bisect;
using machine::BisectStanding;
using machine::BisectState;
using machine::BisectTest;
using machine::Machine;
using report::Format;
using End = BisectStanding::End;

std::string name_of(const Machine& machine, const BisectState& state) {
  return machine::name_of(state, machine.definition);
}

bool is_snapshot(const Machine& machine, const BisectState& state) {
  const auto& snapshots = machine.definition.snapshots;
  return std::ranges::find(snapshots, state.layer, &machine::Snapshot::layer) != snapshots.end();
}

const BisectState& state_tested(const Bisect& bisect, const BisectTest& test) {
  return *std::ranges::find(bisect.states, test.layer, &BisectState::layer);
}

Json test_json(const Machine& machine, const Bisect& bisect, const BisectTest& test) {
  Json json;
  json.set("snapshot", name_of(machine, state_tested(bisect, test))).set("verdict", word(test.verdict));
  json.set("status", test.status).set("seconds", test.took ? Json(std::int64_t(test.took->count())) : Json());
  json.set("when", base::format_time(test.when));
  return json.set("seen", test.seen.empty() ? Json() : Json(test.seen));
}

Json bisect_json(const Machine& machine, const Bisect& bisect, const BisectStanding& standing) {
  const auto name_at = [&](std::size_t at) { return name_of(machine, bisect.states[at]); };
  Json candidates = Json::array(), tested = Json::array();
  for (const auto at : standing.candidates) candidates.push(name_at(at));
  for (const auto& test : bisect.tests) tested.push(test_json(machine, bisect, test));
  Json json;
  json.set("machine", machine.name).set("began", base::format_time(bisect.began)).set("by_time", bisect.by_time);
  json.set("good", name_of(machine, bisect.good)).set("bad", name_of(machine, bisect.bad()));
  json.set("first_bad", standing.end == End::found ? Json(name_at(standing.bad)) : Json());
  json.set("candidates", std::move(candidates)).set("next", standing.next ? Json(name_at(*standing.next)) : Json());
  json.set("tests_left", standing.next ? tests_left(standing) : 0).set("tests", bisect.tests.size());
  return json.set("tested", std::move(tested));
}

std::string count_of(std::size_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

// ---- sentences ----

std::vector<std::string> next_lines(const Machine& machine, const Bisect& bisect, const BisectStanding& standing) {
  const auto& next = bisect.states[*standing.next];
  const bool is_current = next.layer == machine.definition.active.layer;
  const auto boot = is_current ? fmt::format("hrvm boot {} --ephemeral", machine.name)
                               : fmt::format("hrvm boot {}@{}", machine.name, name_of(machine, next));
  return {fmt::format("Next to test: {} ({} left, about {} more)", full_name(machine, next),
                      count_of(standing.left, "state"), count_of(tests_left(standing), "test")),
          fmt::format("  {}", boot), fmt::format("  hrvm bisect good {0}, or bad, or skip", machine.name),
          fmt::format("or have it tested:  hrvm bisect run {}", machine.name)};
}

std::vector<std::string> found_lines(const Machine& machine, const Bisect& bisect, const BisectStanding& standing) {
  const auto &bad = bisect.states[standing.bad], &good = bisect.states[standing.good];
  std::vector<std::string> lines{
      fmt::format("{} is the first bad one; {} is good.", full_name(machine, bad), full_name(machine, good))};
  if (machine.definition.is_direct()) return lines;
  // Without a first one it is compared with its base.
  const auto from = good.layer.empty() ? "" : fmt::format("{} ", state_word(machine, good));
  lines.push_back(fmt::format("What changed in between:  hrvm diff {}{}{}",
                              machine.definition.is_on_folder() ? "" : "--packages ", from, state_word(machine, bad)));
  return lines;
}

std::vector<std::string> skipped_lines(const Machine& machine, const Bisect& bisect, const BisectStanding& standing) {
  std::vector<std::string> names;
  for (const auto at : standing.candidates) names.push_back(name_of(machine, bisect.states[at]));
  return {fmt::format("The first bad one is one of these, and the others of them could not be tested: {}",
                      base::join(names, ", "))};
}

std::vector<std::string> mended_lines(const Machine& machine, const Bisect& bisect) {
  const auto& fork = bisect.states.front();
  return {fmt::format("{0} is bad, and {1} lies on it and is good: something on the way to {1} mended it.",
                      full_name(machine, fork), full_name(machine, bisect.good)),
          fmt::format("What broke it lies before:  hrvm bisect reset {0} && hrvm bisect start {0} {1}", machine.name,
                      name_of(machine, fork))};
}

std::vector<std::string> lines_of(const Machine& machine, const Bisect& bisect, const BisectStanding& standing) {
  switch (standing.end) {
    case End::open:
      return next_lines(machine, bisect, standing);
    case End::found:
      return found_lines(machine, bisect, standing);
    case End::only_skipped:
      return skipped_lines(machine, bisect, standing);
    case End::mended:
      break;
  }
  return mended_lines(machine, bisect);
}

const std::vector<report::Column>& columns() {
  static const std::vector<report::Column> all{{"TESTED", "snapshot"},
                                               {"VERDICT", "verdict"},
                                               {"SECONDS", "seconds", Format::text, report::Align::right, 2},
                                               {"STATUS", "status", Format::text, report::Align::right, 1},
                                               {"SEEN", "seen"}};
  return all;
}

}  // namespace

std::string full_name(const Machine& machine, const BisectState& state) {
  if (state.layer.empty()) return fmt::format("the base of {}", machine.name);
  if (state.layer == machine.definition.active.layer) return fmt::format("the current state of {}", machine.name);
  if (!is_snapshot(machine, state)) return fmt::format("what was the current state of {}", machine.name);
  return fmt::format("{}@{}", machine.name, name_of(machine, state));
}

std::string state_word(const Machine& machine, const BisectState& state) {
  const bool is_current = state.layer == machine.definition.active.layer;
  return machine.name + (is_current ? "" : "@" + name_of(machine, state));
}

std::string verdict_text(const BisectTest& test) {
  auto text = std::string(word(test.verdict));
  if (test.took) text += fmt::format(" ({} s)", test.took->count());
  return test.seen.empty() ? text : fmt::format("{}: {}", text, test.seen);
}

std::string bisect_script(const Machine& machine, const Bisect& bisect) {
  const auto good = bisect.good.layer.empty() ? std::string() : " " + name_of(machine, bisect.good);
  auto text = fmt::format("# begun {}\nhrvm bisect start {} {}{}{}\n", base::format_time(bisect.began), machine.name,
                          name_of(machine, bisect.bad()), good, bisect.by_time ? " --by-time" : "");
  for (const auto& test : bisect.tests)
    text += fmt::format("hrvm bisect {} {} {}{}\n", word(test.verdict), machine.name,
                        name_of(machine, state_tested(bisect, test)), test.seen.empty() ? "" : "  # " + test.seen);
  return text;
}

report::Report bisect_report(std::string_view command, const Machine& machine, const Bisect& bisect) {
  const auto standing = machine::standing(bisect);
  std::vector<report::View> human{
      report::TableView{.title = "", .rows = "tested", .columns = columns(), .when_empty = ""}};
  for (auto& line : lines_of(machine, bisect, standing)) human.push_back(report::TextView{std::move(line)});
  return {.schema = fmt::format("hrvm.{}/1", command),
          .data = bisect_json(machine, bisect, standing),
          .human = std::move(human),
          .plain = {.rows = "tested", .columns = columns()}};
}

}  // namespace hrvm::cli
