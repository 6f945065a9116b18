// The block nodes of a plan as -blockdev describes them (QEMU's qapi/block-core.json), and the names they go by in
// events.
#pragma once

#include <string>
#include <vector>

#include "hrvm/base/json.hpp"
#include "hrvm/launch/launch_plan.hpp"

namespace hrvm::launch {

// "disk" for the active layer, "layer1", "layer2" … for what it lies on, then "base", and "base-1", "base-2" … for
// what backs that; of the second disk "disk2", "disk2-layer1", "disk2-base". Their files have "-file" behind.
std::string node_name(const LaunchPlan& plan, std::size_t number, std::size_t index);

std::string file_node_name(const std::string& node);
// Of the device that the guest has this disk by; QEMU names it where it tells of its nodes.
std::string disk_device_id(std::size_t number);

// A layer that QEMU is told of while it runs, to go on in: as the active one of disk_nodes(), with nothing below it
// until a snapshot puts it there.
struct AddedLayer {
  std::string node;
  machine::Path file;
  bool direct = false;
  std::uint64_t l2_cache_bytes = 0;
};
base::Json added_layer(const AddedLayer& layer);
// One that is frozen, on the node `below`; on nothing where that is empty.
base::Json added_frozen_layer(const AddedLayer& layer, const std::string& below);
// By which a layer is opened anew as it is, but on the node `below`. Its file stays open.
base::Json layer_moved(const AddedLayer& layer, bool is_active, const std::string& below);
// Of the node that the disk's layers lie on, as disk_nodes() has it.
std::string base_node_name(std::size_t number);
// By which the file of a layer is opened anew once that is frozen: only to be read.
base::Json frozen_file(const std::string& node, const machine::Path& file, bool direct);

// In the order in which QEMU wants them: each after what it refers to. The base and everything that is frozen is
// read-only, by `read-only` with `auto-read-only` off, so that QEMU never tries to open it otherwise.
std::vector<base::Json> disk_nodes(const LaunchPlan& plan);

// Those of the other disks, all read-only, in such an order as well.
std::vector<base::Json> extra_nodes(const LaunchPlan& plan);

// Code and variables, "pflash0" and "pflash1"; none for BIOS.
std::vector<base::Json> firmware_nodes(const LaunchPlan& plan);

}  // namespace hrvm::launch
