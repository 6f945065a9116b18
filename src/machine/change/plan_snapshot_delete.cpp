#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "machine/change/change_parts.hpp"

namespace hrvm::machine {
namespace {

// What lies directly on a snapshot: other snapshots, the active state, and those that are held for undo.
struct Child {
  std::string described;  // for messages
  std::uint64_t step;     // that holds it; 0: it is none of those
  std::string* layer;
  std::optional<std::string>* parent;  // where it says what it lies on
};

std::vector<Child> children_of(Definition& definition, const std::string& name) {
  std::vector<Child> children;
  for (auto& snapshot : definition.snapshots)
    if (snapshot.parent == name)
      children.push_back({"snapshot " + snapshot.name, 0, &snapshot.layer, &snapshot.parent});
  if (definition.active.head == name)
    children.push_back({"the current state", 0, &definition.active.layer, &definition.active.head});
  for (auto& step : definition.log)
    if (step.held && step.held->head == name)
      children.push_back(
          {fmt::format("what step {} holds for undo", step.number), step.number, &step.held->layer, &step.held->head});
  return children;
}

std::string way_out(const Machine& machine, const std::vector<Child>& children) {
  const auto held = std::ranges::find_if(children, [](const auto& child) { return child.step != 0; });
  if (held == children.end()) return "delete all but one of them first, or revert to another snapshot";
  return fmt::format("what is held for undo can be let go: hrvm undo {} --discard --step {}", machine.name, held->step);
}

void refuse_several(const Machine& machine, const std::string& name, const std::vector<Child>& children) {
  std::vector<std::string> described;
  for (const auto& child : children) described.push_back(child.described);
  throw base::Error(base::ErrorKind::busy,
                    fmt::format("{}@{} cannot be deleted: {} things lie on it ({})", machine.name, name,
                                children.size(), base::join(described, ", ")))
      .hint(way_out(machine, children));
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

// Each heir gets what it needs of the layer: apply() merges it into all that lie on it.
void hand_down(Change& change, const Snapshot& snapshot, const Child& heir, const Drawn& drawn) {
  if (!change.merge) change.merge = LayerMerge{snapshot.layer, *heir.layer};
  if (change.definition.is_on_folder()) *heir.layer = change.merge->merged = drawn.layer_id;
  *heir.parent = snapshot.parent;
  const auto fingerprint = change.definition.fingerprints.find(snapshot.layer);
  if (fingerprint != change.definition.fingerprints.end())
    change.definition.fingerprints[*heir.layer] = fingerprint->second;
}

// What is held for undo does not stand in the way: it is kept, and takes room of its own.
std::size_t own_heirs(const std::vector<Child>& children) {
  return std::size_t(std::ranges::count(children, std::uint64_t(0), &Child::step));
}

}  // namespace

Change plan_snapshot_delete(const Machine& machine, const std::string& name, const Drawn& drawn) {
  const Snapshot& snapshot = snapshot_of(machine, name);
  Change change =
      begin_change(machine, "snapshot delete " + name, fmt::format("snapshot delete {}@{}", machine.name, name), drawn);
  drop_empty_on(change, name);
  const auto children = children_of(change.definition, name);
  if (own_heirs(children) > 1 || (children.size() > 1 && machine.definition.is_on_folder()))
    refuse_several(machine, name, children);
  for (const auto& child : children) hand_down(change, snapshot, child, drawn);
  std::erase_if(change.definition.snapshots, [&](const auto& each) { return each.name == name; });
  return finish_change(std::move(change), machine.definition);
}

}  // namespace hrvm::machine
