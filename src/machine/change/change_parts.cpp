#include "machine/change/change_parts.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/machine/folder_layer.hpp"

namespace hrvm::machine {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t qcow2_sector = 512;

// The layer's neighbour in the same folder, so that a store can move.
image::NewImage layer_on_layer(const std::string& layer, const std::string& bottom, const Definition& definition,
                               std::size_t disk) {
  image::NewImage image = layer_on_base(definition.disks[disk], definition.geometry);
  image.virtual_bytes = base::round_up(definition.disk_bytes(bottom, disk), qcow2_sector);
  image.backing = {definition.layer_name(layer, disk), definition.is_on_folder() ? "folder" : "qcow2"};
  return image;
}

std::vector<std::string> snapshot_names(const Definition& definition) {
  std::vector<std::string> names;
  for (const auto& snapshot : definition.snapshots)
    if (!snapshot.is_nameless()) names.push_back(snapshot.name);
  return names;
}

std::string date_of(base::Time time) { return base::format_time(time).substr(0, 10); }

// Of what was deleted the layers go with the nodes, once nothing else needs these.
void drop_old(Change& change, base::Time now) {
  for (auto& step : change.definition.log) {
    if (step.when == base::Time{}) step.when = now;
    if (!step.can_be_undone() || now - step.when < longest_held) continue;
    const bool held = step.holds_something();
    let_go(step);
    if (!held) continue;
    change.warnings.push_back(fmt::format("what step {} held for undo ({}, {}) is {} days old and goes", step.number,
                                          step.what, date_of(step.when), longest_held.count()));
  }
}

void drop_first_that_hold_nothing(std::vector<Step>& log) {
  auto left = std::size_t(std::ranges::count_if(log, [](const auto& step) { return !step.holds_something(); }));
  std::erase_if(log, [&](const auto& step) { return !step.holds_something() && left >= most_steps && left-- > 0; });
}

std::string_view order_of(const Step& step) {
  for (const auto order : {create_order, prune_order})
    if (step.what.starts_with(order)) return order;
  return {};
}

// A node without a name is there for what lies on it, or for the step that holds it.
void drop_unused_nodes(Definition& definition) {
  std::set<std::string> used;
  const auto use = [&](const std::optional<std::string>& head) {
    if (head) used.insert(*head);
  };
  use(definition.active.head);
  for (const auto* step : definition.held_steps()) use(step->held->head);
  for (const auto& step : definition.log)
    for (const auto& snapshot : step.deleted) used.insert(nameless(snapshot.layer));
  std::vector<Snapshot> kept;
  for (auto snapshot = definition.snapshots.rbegin(); snapshot != definition.snapshots.rend(); ++snapshot) {
    if (snapshot->is_nameless() && !used.contains(snapshot->name)) continue;
    use(snapshot->parent);
    kept.push_back(std::move(*snapshot));
  }
  std::ranges::reverse(kept);
  definition.snapshots = std::move(kept);
}

}  // namespace

image::NewImage layer_on_base(const BaseIdentity& base, const image::Geometry& geometry) {
  image::NewImage image{base::round_up(base.size_bytes, qcow2_sector), geometry, std::nullopt};
  if (!base.is_empty()) image.backing = image::BackingReference{base.stable_path, std::string(word(base.format))};
  return image;
}

std::vector<NewLayer> layers_on_base(const Definition& definition, const std::string& id) {
  std::vector<NewLayer> layers;
  for (std::size_t disk = 0; disk < definition.disks.size(); ++disk)
    layers.push_back({id, layer_on_base(definition.disks[disk], definition.geometry), disk});
  return layers;
}

Change begin_change(const Machine& machine, const std::string& what, const std::string& words, const Drawn& drawn) {
  Change change;
  change.what = words;
  change.definition = machine.definition;
  auto& log = change.definition.log;
  drop_old(change, drawn.now);
  drop_first_that_hold_nothing(log);
  log.push_back({log.empty() ? 1 : log.back().number + 1, drawn.now, what, false, std::nullopt});
  return change;
}

void hold_active(Change& change, const State& before, const Drawn& drawn) {
  const State& now = change.definition.active;
  const bool is_all_there = before.head == now.head && before.hardware == now.hardware && !before.nvram;
  if (drawn.is_active_empty && is_all_there && !change.definition.held_steps().empty()) return;
  change.definition.log.back().held = before;
  change.definition.log.back().is_empty = drawn.is_active_empty;
}

void let_go(Step& step) {
  step.held.reset();
  step.deleted.clear();
  step.restored.clear();
}

void hold_nothing(Change& change) {
  for (auto& step : change.definition.log) let_go(step);
}

void rename_node(Definition& definition, const std::string& from, const std::string& to) {
  const auto rename = [&](std::optional<std::string>& reference) {
    if (reference == from) reference = to;
  };
  rename(definition.active.head);
  for (auto& step : definition.log)
    if (step.held) rename(step.held->head);
  for (auto& snapshot : definition.snapshots) {
    rename(snapshot.parent);
    if (snapshot.name == from) snapshot.name = to;
  }
}

void add_layers_on(Change& change, const std::string& id, const std::string& below, const std::string& bottom) {
  for (std::size_t disk = 0; disk < change.definition.disks.size(); ++disk)
    change.new_layers.push_back({id, layer_on_layer(below, bottom, change.definition, disk), disk});
}

State state_on_new_layer(Change& change, const std::optional<std::string>& head, const Hardware& hardware,
                         const std::optional<std::string>& nvram, const Drawn& drawn) {
  if (const auto below = change.definition.layer_below(head))
    add_layers_on(change, drawn.layer_id, *below, change.definition.chain(State{drawn.layer_id, {}, {}, head}).back());
  else
    for (auto& layer : layers_on_base(change.definition, drawn.layer_id)) change.new_layers.push_back(std::move(layer));
  State state{drawn.layer_id, std::nullopt, hardware, head};
  if (nvram) {
    change.nvram_copies.push_back({*nvram, drawn.nvram_id});
    state.nvram = drawn.nvram_id;
  }
  return state;
}

void check_has_states(const Machine& machine) {
  if (!machine.definition.is_direct()) return;
  throw Error(ErrorKind::unsupported, fmt::format("{} writes to {} itself, so there is no state of it but that one",
                                                  machine.name, machine.definition.disks.front().path))
      .hint(fmt::format("a machine that leaves the folder alone has states: hrvm import {}",
                        base::shell_quote(machine.definition.disks.front().path)));
}

Change finish_change(Change change, const Definition& before) {
  drop_unused_nodes(change.definition);
  const auto after = change.definition.files();
  const std::set<std::string> kept(after.begin(), after.end());
  for (const auto& file : before.files())
    if (!kept.contains(file)) change.discards.push_back(file);
  std::erase_if(change.definition.fingerprints,
                [&](const auto& each) { return !kept.contains(before.layer_file(each.first)); });
  return change;
}

const Snapshot& snapshot_of(const Machine& machine, const std::string& name) {
  if (const Snapshot* snapshot = machine.definition.find_snapshot(name)) return *snapshot;
  const auto meant = base::did_you_mean(name, snapshot_names(machine.definition));
  throw Error(ErrorKind::not_found,
              fmt::format("machine {} has no snapshot named {}", machine.name, base::printable(name)))
      .hint(meant ? fmt::format("did you mean {}@{}?", machine.name, *meant)
                  : fmt::format("hrvm snapshot list {} shows those there are", machine.name));
}

State state_of(const Machine& machine, const std::optional<std::string>& snapshot) {
  if (!snapshot) return machine.definition.active;
  const auto& found = snapshot_of(machine, *snapshot);
  return {found.layer, found.nvram, found.hardware, found.parent};
}

void check_free_snapshot_name(const Machine& machine, const std::string& name) {
  if (!is_snapshot_name(name))
    throw Error(ErrorKind::usage, fmt::format("\"{}\" is no snapshot's name", base::printable(name)))
        .hint("a name starts with a letter or digit, goes on with those and . _ : -, and is at most 63 long");
  if (machine.definition.find_snapshot(name))
    throw Error(ErrorKind::exists, fmt::format("machine {} has a snapshot named {} already", machine.name, name))
        .hint(fmt::format("give another name, or delete it: hrvm snapshot delete {}@{}", machine.name, name));
}

bool is_layer_empty(const Machine& machine, const std::string& layer) {
  try {
    for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk) {
      const auto path = machine.layer_path(layer, disk);
      if (machine.definition.is_direct() ||
          !(machine.definition.is_on_folder() ? is_empty_folder_layer(path) : image::stores_nothing(path)))
        return false;
    }
    return true;
  } catch (const Error&) {  // whatever is in it is worth keeping
    return false;
  }
}

void fold_timed_steps(std::vector<Step>& log) {
  std::set<std::string_view> seen;
  for (auto at = log.size(); at-- > 0 && !log[at].holds_something();) {
    const auto order = order_of(log[at]);
    if (order.empty()) return;
    if (!seen.insert(order).second) log.erase(log.begin() + std::ptrdiff_t(at));
  }
}

Drawn draw(const sys::Host& host, const Store& store) { return {host.now(), store.new_id(), store.new_id()}; }

Drawn draw(const sys::Host& host, const Store& store, const Machine& machine) {
  Drawn drawn = draw(host, store);
  drawn.is_active_empty = is_layer_empty(machine, machine.definition.active.layer);
  drawn.is_running = run_state(machine) == RunState::running;
  return drawn;
}

}  // namespace hrvm::machine
