#include "probe/roots/find_systems.hpp"

#include <algorithm>

#include "hrvm/base/text.hpp"
#include "hrvm/probe/detector.hpp"
#include "probe/roots/architecture.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t most_roots = 64;  // of one filesystem

}  // namespace

std::optional<System> find_system(const Root& root) {
  for (const Detector& detector : detectors()) {
    auto system = detector.detect(root);
    if (!system) continue;
    system->root = root.name;
    system->architecture = architecture_of_root(root.files);
    system->needs_recovery = system->needs_recovery || root.files.needs_recovery();
    return system;
  }
  return std::nullopt;
}

std::vector<fs::Subvolume> roots_among(std::vector<fs::Subvolume> subvolumes) {
  std::erase_if(subvolumes,
                [](const fs::Subvolume& each) { return each.is_snapshot && each.is_read_only && !each.is_default; });
  std::stable_partition(subvolumes.begin(), subvolumes.end(),
                        [](const fs::Subvolume& each) { return each.is_default; });
  if (subvolumes.size() > most_roots) subvolumes.resize(most_roots);
  return subvolumes;
}

std::vector<System> find_systems(const std::string& place, fs::FileSystem& files,
                                 std::vector<base::Finding>& findings) {
  std::vector<System> systems;
  const auto take = [&](const Root& root) {
    if (auto system = find_system(root)) systems.push_back(std::move(*system));
  };
  const auto subvolumes = roots_among(files.subvolumes());
  if (subvolumes.empty()) take({files, place, findings});
  for (const fs::Subvolume& subvolume : subvolumes) {
    const auto view = files.open_subvolume(subvolume.id);
    take({*view, subvolume.path.empty() ? place : base::printable(place + ":" + subvolume.path), findings});
  }
  return systems;
}

}  // namespace hrvm::probe
