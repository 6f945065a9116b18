#include "machine/definition/definition_check.hpp"

#include <fmt/core.h>

#include <set>

namespace hrvm::machine {
namespace {

using Value = DocumentValue;

// No file serves two states: each would change under the other.
class FilesNamedOnce {
 public:
  template <typename State>
  void add(const Value& owner, const State& state) {
    if (!layers_.insert(state.layer).second) owner["layer"].fail(fmt::format("layer {} is named twice", state.layer));
    add_nvram(owner, state);
  }
  template <typename State>
  void add_nvram(const Value& owner, const State& state) {
    if (state.nvram && !nvrams_.insert(*state.nvram).second)
      owner["nvram"].fail(fmt::format("{} is named twice", *state.nvram));
  }
  void add_memory(const Value& owner, const Snapshot& snapshot) {
    if (snapshot.memory && !memories_.insert(snapshot.memory->id).second)
      owner["memory"].fail(fmt::format("{} is named twice", snapshot.memory->id));
  }

 private:
  std::set<std::string> layers_, nvrams_, memories_;
};

// With the place in the document where it stands.
template <typename Visit>
void for_each_held(const Value& value, const Definition& definition, Visit visit) {
  if (value.has("previous")) {
    if (!definition.log.empty()) visit(value["previous"], *definition.log.front().held);
    return;
  }
  const auto items = value["log"].items();
  for (std::size_t i = 0; i < items.size(); ++i)
    if (definition.log[i].held) visit(items[i]["held"], *definition.log[i].held);
}

// A step holds what a snapshot was, and the node in its place, which no other step holds, its layer.
void check_deleted(const Value& value, const Definition& definition, const Step& step, FilesNamedOnce& files) {
  const auto items = value.items();
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& snapshot = step.deleted[i];
    if (!definition.find_snapshot(nameless(snapshot.layer)))
      items[i]["layer"].fail(fmt::format("no node without a name has the layer {}", snapshot.layer));
    if (definition.holder_of(snapshot.layer) != &step)
      items[i]["layer"].fail(fmt::format("layer {} is held twice", snapshot.layer));
    files.add_nvram(items[i], snapshot);
    files.add_memory(items[i], snapshot);
  }
}

void check_files_named_once(const Value& value, const Definition& definition) {
  FilesNamedOnce files;
  files.add(value["active"], definition.active);
  for_each_held(value, definition, [&](const Value& held, const State& state) { files.add(held, state); });
  const auto items = value["snapshots"].items();
  for (std::size_t i = 0; i < items.size(); ++i) {
    files.add(items[i], definition.snapshots[i]);
    files.add_memory(items[i], definition.snapshots[i]);
  }
  if (definition.pending) files.add(value["pending"], *definition.pending);
  for (std::size_t i = 0; i < definition.log.size(); ++i)
    if (!definition.log[i].deleted.empty())
      check_deleted(value["log"].items()[i]["deleted"], definition, definition.log[i], files);
}

void check_pending(const Value& value, const Definition& definition) {
  const auto& name = definition.pending->name;
  if (definition.find_snapshot(name)) value["name"].fail(fmt::format("there is a snapshot named \"{}\"", name));
  if (definition.is_on_folder()) value.fail("is there, and the machine's base is a folder");
}

void check_head(const Value& state, const Definition& definition, const std::optional<std::string>& head) {
  if (head && !definition.find_snapshot(*head))
    state["head"].fail(fmt::format("there is no snapshot named \"{}\"", *head));
}

std::set<std::string> layers_on_base(const Definition& definition) {
  std::set<std::string> layers;
  if (!definition.active.head) layers.insert(definition.active.layer);
  for (const auto* step : definition.held_steps())
    if (!step->held->head) layers.insert(step->held->layer);
  for (const auto& snapshot : definition.snapshots)
    if (!snapshot.parent) layers.insert(snapshot.layer);
  return layers;
}

void check_fingerprints(const Value& value, const Definition& definition) {
  const auto expected = layers_on_base(definition);
  for (const auto& layer : expected)
    if (!definition.fingerprints.contains(layer)) value[layer].fail("is missing, and this layer lies on the base");
  for (const auto& each : definition.fingerprints)
    if (!expected.contains(each.first)) value[each.first].fail("no layer of this name lies on the base");
}

}  // namespace

void check_references(const DocumentValue& value, const Definition& definition) {
  check_head(value["active"], definition, definition.active.head);
  for_each_held(value, definition,
                [&](const Value& held, const State& state) { check_head(held, definition, state.head); });
  check_files_named_once(value, definition);
  if (definition.pending) check_pending(value["pending"], definition);
  check_fingerprints(value["fingerprints"], definition);
}

}  // namespace hrvm::machine
