#include "launch/live/live_layers.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/base/trace.hpp"
#include "hrvm/launch/launch_plan.hpp"

namespace hrvm::launch {

namespace {

using base::Json;

constexpr std::chrono::seconds order_limit{60};

// Drawn with the layer, so that no two snapshots of a run have the same; QEMU takes 31 characters.
std::string node_of(const std::string& layer, std::size_t disk) {
  return disk == 0 ? "layer-" + layer : fmt::format("layer-{}-{}", layer, disk);
}

template <typename Do>  // (LiveDisk)
void for_each_open(Qmp& qmp, const machine::Machine& machine, const std::string& layer, Do act) {
  for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk) {
    try {
      for (const auto& open : live_layers(qmp, machine.layer_path(layer, disk))) act(open);
    } catch (const base::Error& error) {
      base::trace("launch", "layer {} stays as it is: {}", layer, error.message());
    }
  }
}

// A layer of a disk as QEMU has it, or is to have it.
AddedLayer as_node(const machine::Machine& machine, const LiveDisk& open, std::size_t disk) {
  const auto& definition = machine.definition;
  const auto bytes = definition.disk_bytes(definition.chain(definition.active).back(), disk);
  return {open.node, open.file, open.direct, l2_cache_for(bytes)};
}

base::Error is_not_open(const machine::Machine& machine, const machine::Path& layer) {
  return base::Error(base::ErrorKind::external,
                     fmt::format("QEMU does not have {} open, which {} lies on", layer.string(), machine.name))
      .on(layer);
}

LiveDisk open_layer(Qmp& qmp, const machine::Machine& machine, const std::string& layer, std::size_t disk) {
  const auto path = machine.layer_path(layer, disk);
  if (auto open = live_layer(qmp, path)) return *std::move(open);
  throw is_not_open(machine, path);
}

// What a merge changes in the order of a machine's layers.
struct Neighbours {
  std::string above;
  std::optional<std::string> below;  // of both; nullopt: the base
};

Neighbours neighbours_of(const machine::Machine& machine, const machine::LayerMerge& merge) {
  const auto chain = machine.definition.chain(machine.definition.active);
  const auto child = std::ranges::find(chain, merge.child);
  const auto below = child + 2;
  return {*(child - 1), below == chain.end() ? std::nullopt : std::optional(*below)};
}

std::string node_below(Qmp& qmp, const machine::Machine& machine, const Neighbours& neighbours, std::size_t disk) {
  if (neighbours.below) return open_layer(qmp, machine, *neighbours.below, disk).node;
  return machine.definition.disks[disk].is_empty() ? "" : base_node_name(disk);
}

void forget(Qmp& qmp, const std::string& node) {
  qmp.execute("blockdev-del", Json::object().set("node-name", node), order_limit);
}

// The files as they were have no name any more, or will have none.
void forget_old(Qmp& qmp, const std::vector<LiveDisk>& nodes) {
  for (const auto& each : nodes) {
    try {
      forget(qmp, each.node);
    } catch (const base::Error& error) {
      base::trace("launch", "QEMU keeps {}: {}", each.node, error.message());
    }
  }
}

void read_merged(Qmp& qmp, const machine::Machine& machine, const machine::LayerMerge& merge, const std::string& id,
                 std::size_t disk) {
  const auto neighbours = neighbours_of(machine, merge);
  const auto child = machine.layer_path(merge.child, disk);
  const auto old = live_layers(qmp, child), parents = live_layers(qmp, machine.layer_path(merge.parent, disk));
  if (old.empty()) throw is_not_open(machine, child);
  auto merged = as_node(machine, old.back(), disk);
  merged.node = node_of(id, disk);
  merged.file = child;
  const bool is_active = neighbours.above == machine.definition.active.layer;
  const auto above = as_node(machine, open_layer(qmp, machine, neighbours.above, disk), disk);
  qmp.execute("blockdev-add", added_frozen_layer(merged, node_below(qmp, machine, neighbours, disk)), order_limit);
  try {
    const auto options = Json::Array{layer_moved(above, is_active, merged.node)};
    qmp.execute("blockdev-reopen", Json::object().set("options", options), order_limit);
  } catch (const base::Error&) {
    forget(qmp, merged.node);
    throw;
  }
  forget_old(qmp, old);
  forget_old(qmp, parents);
}

}  // namespace

void read_merged(Qmp& qmp, const machine::Machine& machine, const machine::LayerMerge& merge, const std::string& id) {
  for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk) read_merged(qmp, machine, merge, id, disk);
}

std::vector<AddedLayer> layers_to_add(const machine::Machine& machine, const std::vector<LiveDisk>& written) {
  const auto& definition = machine.definition;
  const auto& id = definition.pending->layer;
  std::vector<AddedLayer> layers;
  for (std::size_t disk = 0; disk < written.size(); ++disk)
    layers.push_back({node_of(id, disk), machine.layer_path(id, disk), written[disk].direct,
                      l2_cache_for(definition.disk_bytes(definition.chain(definition.active).back(), disk))});
  return layers;
}

void close_to_writes(Qmp& qmp, const machine::Machine& machine, const std::string& layer) {
  for_each_open(qmp, machine, layer, [&](const LiveDisk& open) {
    const auto options = Json::Array{frozen_file(open.node, open.file, open.direct)};
    qmp.execute("blockdev-reopen", Json::object().set("options", options), order_limit);
  });
}

void forget_layers(Qmp& qmp, const machine::Machine& machine, const std::string& layer) {
  for_each_open(qmp, machine, layer, [&](const LiveDisk& open) { forget(qmp, open.node); });
}

}  // namespace hrvm::launch
