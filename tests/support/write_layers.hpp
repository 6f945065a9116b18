// Empty layers as a definition names them: what an import or a change would have made.
#pragma once

#include <filesystem>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/image/create.hpp"
#include "hrvm/machine/definition.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::test {

inline image::BackingReference backing_of(const machine::Definition& definition, const machine::State& state,
                                          std::size_t disk) {
  const auto below = definition.layer_below(state.head);
  if (below) return {definition.layer_name(*below, disk), "qcow2"};
  return {definition.disks[disk].stable_path, std::string(word(definition.disks[disk].format))};
}

inline void write_layer(const std::filesystem::path& folder, const machine::Definition& definition,
                        const machine::State& state, std::size_t disk) {
  const auto path = folder / definition.layer_file(state.layer, disk);
  if (definition.is_on_folder()) {
    std::filesystem::create_directories(path / "upper");
    return;
  }
  image::NewImage layer{base::round_up(definition.disks[disk].size_bytes, 512), definition.geometry, std::nullopt};
  if (!definition.disks[disk].is_empty()) layer.backing = backing_of(definition, state, disk);
  sys::AtomicFile file(path);
  image::create_qcow2(file.fd(), path.string(), layer);
  file.commit();
}

// `folder` is the machine's.
inline void write_layers(const std::filesystem::path& folder, const machine::Definition& definition) {
  std::vector<machine::State> states = {definition.active};
  for (const auto* step : definition.held_steps()) states.push_back(*step->held);
  for (const auto& snapshot : definition.snapshots)
    states.push_back({snapshot.layer, snapshot.nvram, snapshot.hardware, snapshot.parent});
  std::filesystem::create_directories(folder / "layers");
  for (const auto& state : states)
    for (std::size_t disk = 0; disk < definition.disks.size(); ++disk) write_layer(folder, definition, state, disk);
}

}  // namespace hrvm::test
