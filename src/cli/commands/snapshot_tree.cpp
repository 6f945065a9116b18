// hrvm snapshot tree MACHINE: which snapshot lies on which, and where the machine is now.
#include <fmt/core.h>

#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"
#include "cli/views/machine_view.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/folder_layer.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using machine::Machine;

// What lies on something: a snapshot, the active state, or a state that is held for undo.
struct Node {
  std::string label;
  Json facts;  // a snapshot's; null for a state
  std::string size;
  std::vector<Node> on_it = {};
};

std::string size_text(const Json& bytes) {
  return bytes.is_null() ? "missing" : base::format_bytes(*bytes.unsigned_integer());
}

Node state_node(std::string label, const Machine& machine, const machine::State& state) {
  return {std::move(label), Json(), base::format_bytes(machine::allocated_bytes(machine, state.layer))};
}

std::vector<Node> nodes_on(const Machine& machine, const std::optional<std::string>& parent) {
  const auto& definition = machine.definition;
  std::vector<Node> nodes;
  for (const auto& snapshot : definition.snapshots) {
    if (snapshot.parent != parent) continue;
    auto facts = snapshot_json(machine, snapshot);
    const auto size = size_text(facts["allocated_bytes"]);
    nodes.push_back({snapshot.name, std::move(facts), size, nodes_on(machine, snapshot.name)});
  }
  for (const auto* step : definition.held_steps())
    if (step->held->head == parent)
      nodes.push_back(state_node(fmt::format("○ held for undo by step {}", step->number), machine, *step->held));
  if (definition.active.head == parent) nodes.push_back(state_node("● now", machine, definition.active));
  return nodes;
}

Json tree_json(const std::vector<Node>& nodes) {
  Json list = Json::array();
  for (const auto& node : nodes) {
    if (node.facts.is_null()) continue;
    Json snapshot = node.facts;
    list.push(snapshot.set("children", tree_json(node.on_it)));
  }
  return list;
}

// A line of the drawing: the tree, then what stands in columns beside it.
struct Line {
  std::string tree;
  const Node& node;
};

void draw(const std::vector<Node>& nodes, const std::string& before, std::vector<Line>& lines) {
  for (const auto& node : nodes) {
    const bool last = &node == &nodes.back();
    lines.push_back({before + (last ? "└─ " : "├─ ") + node.label, node});
    draw(node.on_it, before + (last ? "   " : "│  "), lines);
  }
}

// Labels are ASCII but for the marks and the lines of the tree, each of which takes one column.
std::size_t columns(std::string_view text) {
  return std::size_t(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string line_text(const Line& line, std::size_t width) {
  const auto created = line.node.facts["created"].text().value_or("");
  const auto when = created.empty() ? "" : created.substr(0, 10) + " " + created.substr(11, 5);
  const auto description = base::printable(line.node.facts["description"].text().value_or(""));
  auto text = fmt::format("{}{}  {:16}  {:>10}  {}", line.tree, std::string(width - columns(line.tree), ' '), when,
                          line.node.size, description);
  text.erase(text.find_last_not_of(' ') + 1);
  return text + "\n";
}

std::string drawing(const Machine& machine, const std::vector<Node>& nodes) {
  std::vector<Line> lines;
  draw(nodes, "", lines);
  std::size_t width = 0;
  for (const auto& line : lines) width = std::max(width, columns(line.tree));
  std::string text = base::printable(machine.definition.disks.front().path) + "\n";
  for (const auto& line : lines) text += line_text(line, width);
  return text;
}

Outcome run_snapshot_tree(const Context& context) {
  const auto machine = open_store(context).load(machine_word(context.arguments.positional(0)));
  const auto nodes = nodes_on(machine, std::nullopt);
  Json data;
  data.set("machine", machine.name).set("head", machine.definition.active.head);
  data.set("tree", tree_json(nodes)).set("snapshots", snapshots_json(machine));
  return {.report = report::Report{.schema = "hrvm.snapshot-tree/1",
                                   .data = data,
                                   .human = {report::TextView{drawing(machine, nodes)}},
                                   .plain = snapshot_lines()}};
}

}  // namespace

const Command snapshot_tree_command = {
    .name = "snapshot tree",
    .summary = "draw which snapshot lies on which, and where the machine is",
    .positionals = {{"MACHINE", "the machine", Completes::machine}},
    .run = run_snapshot_tree,
};

}  // namespace hrvm::cli
