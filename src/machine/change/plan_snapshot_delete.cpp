#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "machine/change/change_parts.hpp"

namespace hrvm::machine {
namespace {

// What lies directly on a snapshot: other snapshots, the active state, and those that are held for undo.
struct Child {
  std::uint64_t step;  // that holds it; 0: it is none of those
  std::string* layer;
  std::optional<std::string>* parent;  // where it says what it lies on
};

std::vector<Child> children_of(Definition& definition, const std::string& name) {
  std::vector<Child> children;
  for (auto& snapshot : definition.snapshots)
    if (snapshot.parent == name) children.push_back({0, &snapshot.layer, &snapshot.parent});
  if (definition.active.head == name) children.push_back({0, &definition.active.layer, &definition.active.head});
  for (auto& step : definition.log)
    if (step.held && step.held->head == name) children.push_back({step.number, &step.held->layer, &step.held->head});
  return children;
}

// They do not stand in the way.
void drop_empty_on(Change& change, const std::string& name) {
  for (auto& step : change.definition.log) {
    if (!step.held || step.held->head != name || !step.is_empty) continue;
    step.held.reset();
    change.warnings.push_back(fmt::format(
        "what step {} held for undo lies on this snapshot, with nothing written to it, and goes", step.number));
  }
}

// Nodes and what the log says of snapshots are known by their layers.
void take_other_layer(Definition& definition, const Child& heir, const std::string& layer) {
  const auto before = std::exchange(*heir.layer, layer);
  rename_node(definition, nameless(before), nameless(layer));
  for (auto& step : definition.log) {
    for (auto& snapshot : step.deleted)
      if (snapshot.layer == before) snapshot.layer = layer;
    std::replace(step.restored.begin(), step.restored.end(), before, layer);
  }
}

// Each heir gets what it needs of the layer: apply() merges it into all that lie on it.
void hand_down(Change& change, const Snapshot& snapshot, const Child& heir, const Drawn& drawn) {
  if (!change.merge) change.merge = LayerMerge{snapshot.layer, *heir.layer};
  if (change.definition.is_on_folder())
    take_other_layer(change.definition, heir, change.merge->merged = drawn.layer_id);
  *heir.parent = snapshot.parent;
  const auto fingerprint = change.definition.fingerprints.find(snapshot.layer);
  if (fingerprint != change.definition.fingerprints.end())
    change.definition.fingerprints[*heir.layer] = fingerprint->second;
}

// What is held for undo does not stand in the way: it is kept, and takes room of its own.
std::size_t own_heirs(const std::vector<Child>& children) {
  return std::size_t(std::ranges::count(children, std::uint64_t(0), &Child::step));
}

bool has_to_stay(const Definition& definition, const std::vector<Child>& children, const Drawn& drawn) {
  const auto is_active = [&](const Child& child) { return child.layer == &definition.active.layer; };
  if (drawn.is_running && std::ranges::any_of(children, is_active)) return true;
  const bool into_one_alone = definition.is_on_folder() || drawn.is_running;
  return own_heirs(children) > 1 || (children.size() > 1 && into_one_alone);
}

// What it was besides a layer goes with the name. Hardware is kept once for all that have it.
void give_up_name(Change& change, Snapshot& snapshot, const std::vector<Child>& children) {
  if (snapshot.is_nameless()) return;
  change.nameless = snapshot.layer;
  for (auto& step : change.definition.log) std::erase(step.restored, snapshot.layer);
  Snapshot node{.name = nameless(snapshot.layer),
                .parent = snapshot.parent,
                .created = snapshot.created,
                .description = {},
                .layer = snapshot.layer,
                .nvram = std::nullopt,
                .hardware = change.definition.active.hardware};
  for (const auto& child : children) *child.parent = node.name;
  snapshot = std::move(node);
}

void take_out(Change& change, const std::string& name, const Drawn& drawn) {
  drop_empty_on(change, name);
  auto& snapshots = change.definition.snapshots;
  const auto children = children_of(change.definition, name);
  const auto snapshot = std::ranges::find(snapshots, name, &Snapshot::name);
  if (has_to_stay(change.definition, children, drawn)) return give_up_name(change, *snapshot, children);
  for (const auto& child : children) hand_down(change, *snapshot, child, drawn);
  for (auto& step : change.definition.log) std::erase(step.restored, snapshot->layer);
  snapshots.erase(snapshot);
}

bool is_left_over(const Definition& definition, const Snapshot& snapshot) {
  return snapshot.is_nameless() && !definition.holder_of(snapshot.layer);
}

// What stayed for the sake of what has just gone.
void take_out_nameless(Change& change, std::optional<std::string> name, const Drawn& drawn) {
  while (name && !change.merge && !change.nameless) {
    const auto* snapshot = change.definition.find_snapshot(*name);
    if (!snapshot || !is_left_over(change.definition, *snapshot)) return;
    const auto below = snapshot->parent;
    take_out(change, *name, drawn);
    if (change.definition.find_snapshot(*name)) return;
    name = below;
  }
}

}  // namespace

Change plan_snapshot_delete(const Machine& machine, const std::string& name, const Drawn& drawn) {
  const Snapshot& snapshot = snapshot_of(machine, name);
  Change change =
      begin_change(machine, "snapshot delete " + name, fmt::format("snapshot delete {}@{}", machine.name, name), drawn);
  take_out(change, name, drawn);
  take_out_nameless(change, snapshot.parent, drawn);
  return finish_change(std::move(change), machine.definition);
}

void put_away(Change& change, const std::string& name) {
  auto& definition = change.definition;
  auto& snapshot = *std::ranges::find(definition.snapshots, name, &Snapshot::name);
  Snapshot held = snapshot;
  held.parent.reset();
  give_up_name(change, snapshot, children_of(definition, name));
  definition.log.back().deleted.push_back(std::move(held));
}

Change plan_snapshot_put_away(const Machine& machine, const std::vector<std::string>& names, const std::string& what,
                              const Drawn& drawn) {
  for (const auto& name : names) snapshot_of(machine, name);
  const auto how_many = fmt::format(" ({} snapshots)", names.size());
  const bool is_one = names.size() == 1;
  Change change =
      begin_change(machine, what + (is_one ? " " + names.front() : how_many),
                   fmt::format("{} {}{}", what, machine.name, is_one ? "@" + names.front() : how_many), drawn);
  for (const auto& name : names) put_away(change, name);
  return finish_change(std::move(change), machine.definition);
}

std::optional<Change> plan_nameless_merge(const Machine& machine, const Drawn& drawn) {
  for (const auto& snapshot : machine.definition.snapshots) {
    if (!is_left_over(machine.definition, snapshot)) continue;
    Change change{.what = fmt::format("merge of a layer of {} that has no name", machine.name),
                  .definition = machine.definition};
    take_out_nameless(change, snapshot.name, drawn);
    if (!change.definition.find_snapshot(snapshot.name)) return finish_change(std::move(change), machine.definition);
  }
  return std::nullopt;
}

}  // namespace hrvm::machine
