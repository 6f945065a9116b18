#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "machine/change/change_parts.hpp"

namespace hrvm::machine {
namespace {

// What lies directly on a snapshot: other snapshots, and the active state.
struct Child {
  std::string described;  // for messages
  std::string* layer;
  std::optional<std::string>* parent;  // where it says what it lies on
};

std::vector<Child> children_of(Definition& definition, const std::string& name) {
  std::vector<Child> children;
  for (auto& snapshot : definition.snapshots)
    if (snapshot.parent == name) children.push_back({"snapshot " + snapshot.name, &snapshot.layer, &snapshot.parent});
  if (definition.active.head == name)
    children.push_back({"the current state", &definition.active.layer, &definition.active.head});
  return children;
}

void refuse_several(const Machine& machine, const std::string& name, const std::vector<Child>& children) {
  std::vector<std::string> described;
  for (const auto& child : children) described.push_back(child.described);
  throw base::Error(base::ErrorKind::busy,
                    fmt::format("{}@{} cannot be deleted: {} things lie on it ({})", machine.name, name,
                                children.size(), base::join(described, ", ")))
      .hint("delete all but one of them first, or revert to another snapshot");
}

// The state kept for undo is worth less than what the person asks to delete: it does not stand in the way.
void drop_previous_on(Change& change, const std::string& name) {
  auto& previous = change.definition.previous;
  if (!previous || previous->head != name) return;
  previous.reset();
  change.warnings.push_back("what `hrvm undo` would bring back lies on this snapshot and goes with it");
}

void hand_down(Change& change, const Snapshot& snapshot, const Child& heir, const Drawn& drawn) {
  change.merge = LayerMerge{snapshot.layer, *heir.layer};
  if (change.definition.is_on_folder()) *heir.layer = change.merge->merged = drawn.layer_id;
  *heir.parent = snapshot.parent;
  const auto fingerprint = change.definition.fingerprints.find(snapshot.layer);
  if (fingerprint != change.definition.fingerprints.end())
    change.definition.fingerprints[*heir.layer] = fingerprint->second;
}

}  // namespace

Change plan_snapshot_delete(const Machine& machine, const std::string& name, const Drawn& drawn) {
  const Snapshot& snapshot = snapshot_of(machine, name);
  Change change = begin_change(machine, fmt::format("snapshot delete {}@{}", machine.name, name));
  drop_previous_on(change, name);
  const auto children = children_of(change.definition, name);
  if (children.size() > 1) refuse_several(machine, name, children);
  if (!children.empty()) hand_down(change, snapshot, children.front(), drawn);
  std::erase_if(change.definition.snapshots, [&](const auto& each) { return each.name == name; });
  return finish_change(std::move(change), machine.definition);
}

}  // namespace hrvm::machine
