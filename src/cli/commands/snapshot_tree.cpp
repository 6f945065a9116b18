// hrvm snapshot tree MACHINE: which snapshot lies on which, and where the machine is now.
#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "cli/commands/commands.hpp"
#include "cli/steps/changing.hpp"
#include "cli/views/machine_view.hpp"
#include "cli/words/named_machine.hpp"
#include "hrvm/base/byte_size.hpp"
#include "hrvm/machine/folder_layer.hpp"

namespace hrvm::cli {
namespace {

using base::Json;
using machine::Machine;
using report::Align;
using report::Format;

// What lies on something: a snapshot, a layer that has no name any more, the active state, or a state that is held for
// undo.
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

std::string label_of(const machine::Definition& definition, const machine::Snapshot& snapshot) {
  if (!snapshot.is_nameless()) return snapshot.name;
  const auto* step = definition.holder_of(snapshot.layer);
  if (!step) return "(no name)";
  const auto& held = *std::ranges::find(step->deleted, snapshot.layer, &machine::Snapshot::layer);
  return fmt::format("○ {}, held for undo by step {}", held.name, step->number);
}

// By the snapshot they lie on; "" stands for the base.
using SnapshotsOn = std::map<std::string, std::vector<const machine::Snapshot*>>;

std::vector<Node> nodes_on(const Machine& machine, const SnapshotsOn& snapshots,
                           const std::optional<std::string>& parent) {
  const auto& definition = machine.definition;
  std::vector<Node> nodes;
  if (const auto here = snapshots.find(parent.value_or("")); here != snapshots.end())
    for (const auto* snapshot : here->second) {
      auto facts = snapshot_json(machine, *snapshot);
      const auto size = size_text(facts["allocated_bytes"]);
      nodes.push_back(
          {label_of(definition, *snapshot), std::move(facts), size, nodes_on(machine, snapshots, snapshot->name)});
    }
  for (const auto* step : definition.held_steps())
    if (step->held->head == parent)
      nodes.push_back(state_node(fmt::format("○ held for undo by step {}", step->number), machine, *step->held));
  if (definition.active.head == parent) nodes.push_back(state_node("● now", machine, definition.active));
  return nodes;
}

std::vector<Node> all_nodes(const Machine& machine) {
  SnapshotsOn snapshots;
  for (const auto& snapshot : machine.definition.snapshots)
    snapshots[snapshot.parent.value_or("")].push_back(&snapshot);
  return nodes_on(machine, snapshots, std::nullopt);
}

Json tree_json(std::vector<Node> nodes) {
  Json list = Json::array();
  for (auto& node : nodes) {
    if (node.facts.is_null()) continue;
    node.facts.set("children", tree_json(std::move(node.on_it)));
    list.push(std::move(node.facts));
  }
  return list;
}

// What lies alone on the last of several goes on in its column: a chain without branches stays where it is.
void draw(const std::vector<Node>& nodes, const std::string& before, bool goes_on, Json& lines) {
  for (const auto& node : nodes) {
    const bool last = &node == &nodes.back();
    const auto* mark = goes_on ? "→  " : last ? "└─ " : "├─ ";
    Json line;
    line.set("tree", before + mark + node.label).set("created", node.facts["created"]);
    lines.push(line.set("size", node.size).set("description", node.facts["description"]));
    const bool stays = last && node.on_it.size() == 1;
    draw(node.on_it, stays ? before : before + (last ? "   " : "│  "), stays, lines);
  }
}

report::TableView drawing(const std::vector<Node>& nodes) {
  Json lines = Json::array();
  draw(nodes, "", false, lines);
  return {.rows = "",
          .columns = {{"", "tree"},
                      {"", "created", Format::time, Align::left, 1},
                      {"", "size", Format::text, Align::right, 2},
                      {"", "description"}},
          .drawn = std::move(lines),
          .has_heading = false};
}

Outcome run_snapshot_tree(const Context& context) {
  const auto machine = open_store(context).load(machine_word(context.arguments.positional(0)));
  auto nodes = all_nodes(machine);
  auto table = drawing(nodes);
  Json data;
  data.set("machine", machine.name).set("head", machine.definition.named(machine.definition.active.head));
  data.set("tree", tree_json(std::move(nodes))).set("snapshots", snapshots_json(machine));
  data.set("nameless_bytes", nameless_bytes(machine));
  return {.report = report::Report{.schema = "hrvm.snapshot-tree/1",
                                   .data = data,
                                   .human = {report::TextView{machine.definition.disks.front().path}, std::move(table)},
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
