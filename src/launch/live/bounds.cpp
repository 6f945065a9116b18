#include "launch/live/bounds.hpp"

#include <algorithm>

#include "hrvm/machine/storage.hpp"
#include "hrvm/sys/mounts.hpp"
#include "launch/qemu/block_graph.hpp"

namespace hrvm::launch {

namespace {

constexpr std::chrono::seconds answer_limit{30};

// What a layer may grow to. Its holes can be filled without that, so they are taken off, but at most half of the room:
// a machine that meets the bound before the room is used up goes on at the next look.
std::uint64_t size_with(std::uint64_t room, const sys::FileStatus& layer) {
  const auto holes = layer.size_bytes - std::min(layer.size_bytes, layer.allocated_bytes);
  return layer.size_bytes + room - std::min(holes, room / 2);
}

}  // namespace

LayerRoom::LayerRoom(const sys::Host& host, machine::Path folder)
    : host_(host),
      folder_(std::move(folder)),
      in_memory_(machine::examine_storage(host, folder_).filesystem == "tmpfs") {}

sys::Space LayerRoom::space() const {
  auto space = host_.space(folder_);
  if (in_memory_) space.available_bytes = std::min(space.available_bytes, sys::memory(host_).available_bytes);
  return space;
}

std::uint64_t room_in(const sys::Space& space) {
  return space.available_bytes - std::min(machine::room_to_keep(space), space.available_bytes);
}

std::vector<std::uint64_t> bounds_of(const std::vector<sys::FileStatus>& layers, std::uint64_t room,
                                     std::uint64_t least) {
  std::vector<std::uint64_t> bounds;
  for (const auto& layer : layers) bounds.push_back(std::max(size_with(room / layers.size(), layer), least));
  return bounds;
}

void announce_writes_beyond(Qmp& qmp, const std::string& node, std::uint64_t bound) {
  qmp.execute("block-set-write-threshold",
              base::Json::object().set("node-name", file_node_name(node)).set("write-threshold", bound), answer_limit);
}

}  // namespace hrvm::launch
