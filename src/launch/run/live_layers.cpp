#include "launch/run/live_layers.hpp"

#include <fmt/core.h>

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
      if (const auto open = live_layer(qmp, machine.layer_path(layer, disk))) act(*open);
    } catch (const base::Error& error) {
      base::trace("launch", "layer {} stays as it is: {}", layer, error.message());
    }
  }
}

}  // namespace

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
  for_each_open(qmp, machine, layer, [&](const LiveDisk& open) {
    qmp.execute("blockdev-del", Json::object().set("node-name", open.node), order_limit);
  });
}

}  // namespace hrvm::launch
