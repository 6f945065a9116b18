#include "launch/qemu/live_disks.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "launch/qemu/block_graph.hpp"

namespace hrvm::launch {

namespace {

using base::Json;

constexpr std::chrono::seconds answer_limit{30};
constexpr std::string_view file_suffix = "-file";

Json named_nodes(Qmp& qmp) {
  return qmp.execute("query-named-block-nodes", Json::object().set("flat", true), answer_limit);
}

// QEMU says either the device's id or a path with it: "/machine/peripheral/disk0/virtio-backend".
bool is_of_device(const Json& disk, const std::string& id) {
  const auto device = disk["qdev"].text().value_or("");
  return device == id || device.find("/" + id + "/") != std::string::npos;
}

LiveDisk live_disk(const Json& file_node, std::string node) {
  return {std::move(node), file_node["file"].text().value_or(""),
          file_node.at_path("cache.direct").boolean().value_or(false)};
}

base::Error has_other_disks(std::size_t number) {
  return base::Error(base::ErrorKind::external,
                     fmt::format("QEMU does not tell what disk {} of the machine writes to", number + 1))
      .hint("another QMP client has changed its disks: stop the machine, and boot it again");
}

std::string top_node(const Json& disks, std::size_t number) {
  for (const auto& disk : disks.items())
    if (is_of_device(disk, disk_device_id(number)))
      if (auto node = disk.at_path("inserted.node-name").text()) return *std::move(node);
  throw has_other_disks(number);
}

}  // namespace

std::vector<LiveDisk> live_disks(Qmp& qmp, std::size_t count) {
  const auto disks = qmp.execute("query-block", Json::object(), answer_limit), nodes = named_nodes(qmp);
  std::vector<LiveDisk> live;
  for (std::size_t number = 0; number < count; ++number) {
    const auto top = top_node(disks, number);
    for (const auto& node : nodes.items())
      if (node["node-name"].text() == file_node_name(top)) live.push_back(live_disk(node, top));
    if (live.size() != number + 1) throw has_other_disks(number);
  }
  return live;
}

std::vector<LiveDisk> live_layers(Qmp& qmp, const machine::Path& file) {
  std::vector<LiveDisk> layers;
  const auto nodes = named_nodes(qmp);
  for (const auto& node : nodes.items()) {
    const auto name = node["node-name"].text().value_or("");
    const machine::Path path = node["file"].text().value_or("");
    if (name.ends_with(file_suffix) && path.filename() == file.filename() && sys::is_same_file(path, file))
      layers.push_back(live_disk(node, name.substr(0, name.size() - file_suffix.size())));
  }
  return layers;
}

std::optional<LiveDisk> live_layer(Qmp& qmp, const machine::Path& file) {
  auto layers = live_layers(qmp, file);
  return layers.empty() ? std::nullopt : std::optional(std::move(layers.back()));
}

}  // namespace hrvm::launch
