#include "block_graph.hpp"

#include <fmt/core.h>

namespace hrvm::launch {

namespace {

using base::Json;

Json cache_options(const CacheMode& cache) { return Json::object().set("direct", cache.direct).set("no-flush", false); }

// What the guest discards, and the zeros it writes, take no space in the layer.
void give_back_space(Json& node) { node.set("discard", "unmap"); }

Json file_node(const DiskNode& disk, const std::string& name, bool writable, const CacheMode& cache) {
  Json node;
  node.set("driver", disk.is_device ? "host_device" : "file").set("node-name", name).set("filename", disk.path);
  node.set("read-only", !writable).set("auto-read-only", false);
  node.set("cache", cache_options(cache)).set("aio", cache.aio);
  if (writable) give_back_space(node);
  return node;
}

// A device is read past the page cache also where it backs an image.
CacheMode base_cache(const LaunchPlan& plan, const DiskNode& disk) {
  return {plan.base_cache.direct || disk.is_device, plan.base_cache.aio};
}

Json disk_node(const LaunchPlan& plan, std::size_t index) {
  const auto& disk = plan.chain[index];
  const bool is_base = index >= plan.base_index(), is_last = index + 1 == plan.chain.size();
  const bool active = index == 0 && !is_base;
  const auto cache = is_base ? base_cache(plan, disk) : plan.layer_cache;
  const auto name = node_name(plan, index);
  Json node;
  node.set("driver", disk.format).set("node-name", name).set("read-only", !active);
  if (!active) node.set("auto-read-only", false);
  node.set("cache", cache_options(cache));
  if (active) give_back_space(node), node.set("detect-zeroes", "unmap");
  if (disk.format == "qcow2") {
    node.set("l2-cache-size", plan.l2_cache_bytes);
    node.set("backing", is_last ? Json() : Json(node_name(plan, index + 1)));
  }
  return node.set("file", file_node(disk, name + "-file", active, cache));
}

Json flash_node(const std::string& name, const std::string& path, bool writable) {
  Json node, file;
  file.set("driver", "file").set("filename", path).set("read-only", !writable).set("auto-read-only", false);
  return node.set("driver", "raw").set("node-name", name).set("read-only", !writable).set("file", std::move(file));
}

}  // namespace

std::string node_name(const LaunchPlan& plan, std::size_t index) {
  if (index == plan.base_index()) return "base";
  if (index > plan.base_index()) return fmt::format("base-{}", index - plan.base_index());
  return index == 0 ? "disk" : fmt::format("layer{}", index);
}

std::vector<Json> disk_nodes(const LaunchPlan& plan) {
  std::vector<Json> nodes;
  for (std::size_t index = plan.chain.size(); index-- > 0;) nodes.push_back(disk_node(plan, index));
  return nodes;
}

std::vector<Json> firmware_nodes(const LaunchPlan& plan) {
  if (!plan.firmware) return {};
  return {flash_node("pflash0", plan.firmware->code_path, false), flash_node("pflash1", plan.nvram, true)};
}

}  // namespace hrvm::launch
