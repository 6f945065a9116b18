#include "cli/views/prune_view.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace hrvm::cli {
namespace {

using base::Json;
using report::Align;
using report::Format;

Json verdict_json(const Pruning& pruning, const machine::Verdict& verdict) {
  Json::Object members;
  members.reserve(6);  // there may be tens of thousands of them
  members.emplace_back("name", verdict.name);
  members.emplace_back("created", base::format_time(verdict.created));
  members.emplace_back("auto", verdict.is_auto);
  members.emplace_back("keep", verdict.keep);
  members.emplace_back("because", verdict.because);
  members.emplace_back("machine", pruning.machine);
  return members;
}

Json machines_json(const std::vector<Pruning>& prunings) {
  Json list = Json::array();
  for (const auto& pruning : prunings) {
    const auto going = count_of_going(pruning);
    if (pruning.machine)
      list.push(Json::object()
                    .set("machine", *pruning.machine)
                    .set("kept", pruning.verdicts.size() - going)
                    .set("removed", going));
  }
  return list;
}

std::string summary(std::size_t going, std::size_t all, bool done) {
  const auto what = fmt::format("{} of {} snapshot{}", going, all, all == 1 ? "" : "s");
  if (going == 0) return "No snapshot goes";
  return done ? "Removed " + what : "Would remove " + what;
}

report::TableView table(bool is_of_one) {
  report::TableView table{.rows = "snapshots",
                          .columns = {{"NAME", "name"},
                                      {"CREATED", "created", Format::time, Align::left, 1},
                                      {"STAYS", "keep", Format::yes_no},
                                      {"BECAUSE", "because"}},
                          .when_empty = "There are no snapshots."};
  if (!is_of_one) table.columns.insert(table.columns.begin(), {"MACHINE", "machine"});
  return table;
}

std::string line_of_held(const std::string& machine) {
  return fmt::format("  nothing is freed yet; take it back:  hrvm undo {0}; free it:  hrvm undo {0} --discard",
                     machine);
}

std::string name_of(const Pruning& pruning, const machine::Verdict& verdict) {
  return pruning.machine ? *pruning.machine + "@" + verdict.name : verdict.name;
}

}  // namespace

std::size_t count_of_going(const Pruning& pruning) {
  return std::size_t(std::ranges::count(pruning.verdicts, false, &machine::Verdict::keep));
}

std::size_t count_of_going(const std::vector<Pruning>& prunings) {
  std::size_t count = 0;
  for (const auto& pruning : prunings) count += count_of_going(pruning);
  return count;
}

report::Report prune_report(const std::vector<Pruning>& prunings, const PruneCircumstances& at) {
  Json snapshots = Json::array();
  std::vector<std::string> names;
  for (const auto& pruning : prunings)
    for (const auto& verdict : pruning.verdicts) {
      snapshots.push(verdict_json(pruning, verdict));
      if (!verdict.keep) names.push_back(name_of(pruning, verdict));
    }
  const auto all = snapshots.items().size();
  const bool is_of_one = prunings.size() == 1;
  Json data;
  data.set("machine", is_of_one ? Json(prunings.front().machine) : Json());
  data.set("now", base::format_time(at.now)).set("timezone", at.zone);
  data.set("snapshots", std::move(snapshots)).set("kept", all - names.size()).set("removed", names.size());
  data.set("machines", machines_json(prunings)).set("undo", at.undo && !names.empty());
  const auto summarised = summary(names.size(), all, at.done);
  std::vector<report::View> human = {table(is_of_one), report::TextView{summarised}};
  if (at.done && at.undo)
    for (const auto& each : prunings)
      if (count_of_going(each) > 0) human.push_back(report::TextView{line_of_held(*each.machine)});
  return {.schema = at.done ? "hrvm.snapshot-prune/1" : "hrvm.snapshot-prune-plan/1",
          .data = std::move(data),
          .human = std::move(human),
          .plain = {.rows = "snapshots",
                    .columns = {{"", "name"}, {"", "keep"}, {"", "created"}, {"", "because"}, {"", "machine"}}},
          .names = std::move(names)};
}

}  // namespace hrvm::cli
