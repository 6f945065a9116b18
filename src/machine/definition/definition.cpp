#include "hrvm/machine/definition.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/text.hpp"

namespace hrvm::machine {

std::filesystem::path of_disk(const std::filesystem::path& layer, std::size_t disk) {
  if (disk == 0) return layer;
  return layer.parent_path() / fmt::format("{}-{}{}", layer.stem().string(), disk, layer.extension().string());
}

std::vector<const Step*> Definition::held_steps() const {
  std::vector<const Step*> steps;
  for (const auto& step : log)
    if (step.held) steps.push_back(&step);
  return steps;
}

const Step* Definition::holder_of(std::string_view layer) const {
  for (const auto& step : log)
    if (std::ranges::find(step.deleted, layer, &Snapshot::layer) != step.deleted.end()) return &step;
  return nullptr;
}

const Snapshot* Definition::find_snapshot(std::string_view name) const {
  const auto found =
      std::find_if(snapshots.begin(), snapshots.end(), [&](const auto& each) { return each.name == name; });
  return found == snapshots.end() ? nullptr : &*found;
}

std::string nameless(std::string_view layer) { return fmt::format("~{}", layer); }

std::optional<std::string> Definition::named(const std::optional<std::string>& snapshot) const {
  auto name = snapshot;
  for (auto at = snapshots.rbegin(); name && at != snapshots.rend(); ++at)
    if (at->name == *name && at->is_nameless()) name = at->parent;
  return name;
}

std::vector<std::string> Definition::chain(const State& state) const {
  std::vector<std::string> layers = {state.layer};
  const auto* name = &state.head;
  for (auto snapshot = snapshots.rbegin(); *name && snapshot != snapshots.rend(); ++snapshot) {
    if (snapshot->name != **name) continue;
    layers.push_back(snapshot->layer);
    name = &snapshot->parent;
  }
  return layers;
}

std::optional<std::string> Definition::layer_below(const std::optional<std::string>& snapshot_name) const {
  const Snapshot* snapshot = snapshot_name ? find_snapshot(*snapshot_name) : nullptr;
  if (!snapshot) return std::nullopt;
  return snapshot->layer;
}

// By the fingerprint's mark of that name.
std::uint64_t Definition::disk_bytes(const std::string& bottom_layer, std::size_t disk) const {
  const auto fingerprint = fingerprints.find(bottom_layer);
  const auto what = disk == 0 ? "size" : fmt::format("disk {}, size", disk + 1);
  if (fingerprint != fingerprints.end())
    for (const auto& mark : fingerprint->second.marks)
      if (mark.what == what)
        if (const auto bytes = base::parse_unsigned(mark.value.substr(0, mark.value.find(' ')))) return *bytes;
  return disks[disk].size_bytes;
}

std::string Definition::layer_name(const std::string& id, std::size_t disk) const {
  return of_disk(id + (is_on_folder() ? ".folder" : ".qcow2"), disk);
}

std::vector<std::string> Definition::files() const {
  std::vector<std::string> files;
  const auto add_nvram = [&](const auto& state) {
    if (state.nvram) files.push_back("nvram/" + *state.nvram + ".fd");
  };
  const auto add_memory = [&](const Snapshot& snapshot) {
    if (snapshot.memory) files.push_back("memory/" + snapshot.memory->id);
  };
  const auto add = [&](const auto& state) {
    for (std::size_t disk = 0; disk < disks.size(); ++disk) files.push_back(layer_file(state.layer, disk));
    add_nvram(state);
  };
  add(active);
  for (const auto* step : held_steps()) add(*step->held);
  for (const auto& snapshot : snapshots) {
    add(snapshot);
    add_memory(snapshot);
  }
  for (const auto& step : log)
    for (const auto& snapshot : step.deleted) {  // whose layers are those of nodes
      add_nvram(snapshot);
      add_memory(snapshot);
    }
  if (pending) add(*pending);
  return files;
}

}  // namespace hrvm::machine
