#include "machine/change/merging.hpp"

#include <algorithm>

#include "hrvm/machine/layers.hpp"
#include "machine/store/store_layout.hpp"

namespace hrvm::machine {
namespace {

void write_merging(const Machine& machine, const std::vector<std::string>& layers) {
  sys::AtomicFile file(merging_path(machine.folder));
  for (const auto& layer : layers) file.write(layer + "\n");
  file.commit();
}

bool is_as_committed(const Machine& machine, const std::string& layer, const std::set<std::string>& merged) {
  const auto layers = all_layers(machine);
  if (std::ranges::find(layers, layer) == layers.end()) return true;
  return has_sound_headers(machine, layer) && (merged.contains(layer) || !machine.definition.frozen.contains(layer));
}

}  // namespace

void note_merging(const Machine& machine, const std::set<std::string>& layers) {
  auto all = merging_layers(machine.folder);
  for (const auto& layer : layers)
    if (std::ranges::find(all, layer) == all.end()) all.push_back(layer);
  write_merging(machine, all);
}

void forget_merging(const Machine& machine, const std::set<std::string>& merged) {
  auto left = merging_layers(machine.folder);
  if (left.empty()) return;
  std::erase_if(left, [&](const auto& layer) { return is_as_committed(machine, layer, merged); });
  if (left.empty()) return sys::remove_all(merging_path(machine.folder));
  write_merging(machine, left);
}

}  // namespace hrvm::machine
