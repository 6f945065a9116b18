#include "launch/qemu/block_graph.hpp"

#include <fmt/core.h>

#include "launch/qemu/extra_disks.hpp"

namespace hrvm::launch {

namespace {

using base::Json;

Json cache_options(bool direct) { return Json::object().set("direct", direct).set("no-flush", false); }

// What the guest discards, and the zeros it writes, take no space in the layer.
void give_back_space(Json& node) { node.set("discard", "unmap"); }

// Not "io_uring": up to QEMU 10.1 a request that it answers in part, and one that it asks to repeat, may never be sent
// again, and the guest waits for good (mended in 10.0.7 and 10.2). Reads of a file that is half in the page cache meet
// it.
constexpr const char* way_of_io = "threads";

Json file_node(const DiskNode& disk, const std::string& name, bool writable, bool direct) {
  Json node;
  node.set("driver", disk.is_device ? "host_device" : "file").set("node-name", name).set("filename", disk.path);
  node.set("read-only", !writable).set("auto-read-only", false);
  node.set("cache", cache_options(direct)).set("aio", way_of_io);
  if (writable) give_back_space(node);
  return node;
}

// A device is read past the page cache also where it backs an image.
bool is_direct(const OwnDisk& disk, const DiskNode& node) { return disk.base_direct || node.is_device; }

// Without what is below it, and its file.
Json disk_node(const std::string& driver, const std::string& name, bool active, bool direct) {
  Json node;
  node.set("driver", driver).set("node-name", name).set("read-only", !active);
  if (!active) node.set("auto-read-only", false);
  node.set("cache", cache_options(direct));
  if (active) give_back_space(node), node.set("detect-zeroes", "unmap");
  return node;
}

Json disk_node(const LaunchPlan& plan, std::size_t number, std::size_t index) {
  const auto& disk = plan.disks.own[number];
  const auto& file = disk.chain[index];
  const bool is_base = index >= disk.base_index(), is_last = index + 1 == disk.chain.size();
  const bool active = index == 0 && !is_base;
  const bool direct = is_base ? is_direct(disk, file) : plan.disks.layer_direct;
  const auto name = node_name(plan, number, index);
  Json node = disk_node(std::string(word(file.format)), name, active, direct);
  if (file.format == probe::DiskFormat::qcow2) {
    node.set("l2-cache-size", disk.l2_cache_bytes);
    node.set("backing", is_last ? Json() : Json(node_name(plan, number, index + 1)));
  }
  return node.set("file", file_node(file, file_node_name(name), active, direct));
}

// Devices are read past the page cache, as the base is.
Json extra_node(const ExtraDisk& disk, std::size_t extra, std::size_t index) {
  const auto& file = disk.chain[index];
  const auto name = extra_node_name(extra, index);
  Json node;
  node.set("driver", word(file.format)).set("node-name", name).set("read-only", true).set("auto-read-only", false);
  node.set("cache", cache_options(file.is_device));
  const bool is_last = index + 1 == disk.chain.size();
  if (file.format == probe::DiskFormat::qcow2)
    node.set("backing", is_last ? Json() : Json(extra_node_name(extra, index + 1)));
  return node.set("file", file_node(file, file_node_name(name), false, file.is_device));
}

Json flash_node(const std::string& name, const std::string& path, bool writable) {
  Json node, file;
  file.set("driver", "file").set("filename", path).set("read-only", !writable).set("auto-read-only", false);
  return node.set("driver", "raw").set("node-name", name).set("read-only", !writable).set("file", std::move(file));
}

}  // namespace

std::string node_name(const LaunchPlan& plan, std::size_t number, std::size_t index) {
  const auto base = plan.disks.own[number].base_index();
  const std::string disk = number == 0 ? "disk" : fmt::format("disk{}", number + 1);
  if (index == 0 && base > 0) return disk;
  const auto prefix = number == 0 ? "" : disk + "-";
  if (index < base) return fmt::format("{}layer{}", prefix, index);
  return index == base ? base_node_name(number) : fmt::format("{}base-{}", prefix, index - base);
}

std::string file_node_name(const std::string& node) { return node + "-file"; }

std::string disk_device_id(std::size_t number) {
  return number == 0 ? "disk0" : fmt::format("disk{}-device", number + 1);
}

static Json layer_node(const AddedLayer& layer, bool active, const std::string& below) {
  Json node = disk_node("qcow2", layer.node, active, layer.direct);
  return node.set("l2-cache-size", layer.l2_cache_bytes).set("backing", below.empty() ? Json() : Json(below));
}

Json added_layer(const AddedLayer& layer) {
  Json node = layer_node(layer, true, "");
  const DiskNode file{layer.file, probe::DiskFormat::qcow2, false};
  return node.set("file", file_node(file, file_node_name(layer.node), true, layer.direct));
}

Json added_frozen_layer(const AddedLayer& layer, const std::string& below) {
  Json node = layer_node(layer, false, below);
  return node.set("file", file_node({layer.file, probe::DiskFormat::qcow2, false}, file_node_name(layer.node), false,
                                    layer.direct));
}

Json layer_moved(const AddedLayer& layer, bool is_active, const std::string& below) {
  return layer_node(layer, is_active, below).set("file", file_node_name(layer.node));
}

std::string base_node_name(std::size_t number) { return number == 0 ? "base" : fmt::format("disk{}-base", number + 1); }

Json frozen_file(const std::string& node, const machine::Path& file, bool direct) {
  return file_node({file, probe::DiskFormat::qcow2, false}, file_node_name(node), false, direct);
}

std::vector<Json> disk_nodes(const LaunchPlan& plan) {
  std::vector<Json> nodes;
  for (std::size_t number = 0; number < plan.disks.own.size(); ++number)
    for (std::size_t index = plan.disks.own[number].chain.size(); index-- > 0;)
      nodes.push_back(disk_node(plan, number, index));
  return nodes;
}

std::vector<Json> extra_nodes(const LaunchPlan& plan) {
  std::vector<Json> nodes;
  for (std::size_t extra = 0; extra < plan.disks.extra.size(); ++extra) {
    const auto& disk = plan.disks.extra[extra];
    for (std::size_t index = disk.chain.size(); index-- > 0;) nodes.push_back(extra_node(disk, extra, index));
  }
  return nodes;
}

std::vector<Json> firmware_nodes(const LaunchPlan& plan) {
  if (!plan.firmware.uefi) return {};
  return {flash_node("pflash0", plan.firmware.uefi->code_path, false),
          flash_node("pflash1", plan.firmware.nvram, true)};
}

}  // namespace hrvm::launch
