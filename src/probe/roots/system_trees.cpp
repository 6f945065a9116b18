#include "probe/roots/system_trees.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "probe/boot/locate_device.hpp"
#include "probe/roots/find_systems.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t most_trees = 512;

}  // namespace

SystemTrees::SystemTrees(std::span<const BootPlace> places, const Contents& contents)
    : contents_(contents), places_(places) {
  for (const BootPlace& place : places) try {
      if (place.files == nullptr) continue;
      const auto subvolumes = roots_among(place.files->subvolumes());
      if (subvolumes.empty()) all_.push_back({place.name, &place, nullptr});
      for (const fs::Subvolume& each : subvolumes)
        if (all_.size() < most_trees)
          all_.push_back({each.path.empty() ? place.name : base::printable(place.name + ":" + each.path), &place,
                          place.files->open_subvolume(each.id), each.is_default});
    } catch (const base::Error&) {
      // A damaged filesystem is reported where it was opened.
    }
}

const SystemTree* SystemTrees::find(const DeviceName& device, const std::string& subvolume) {
  const auto name = locate_device(device, contents_);
  const auto place = std::ranges::find(places_, name, &BootPlace::name);
  if (name.empty() || place == places_.end() || place->files == nullptr) return nullptr;
  if (!subvolume.empty()) return find_subvolume(*place, subvolume);
  const auto top =
      std::ranges::find_if(all_, [&](const SystemTree& tree) { return tree.place == &*place && tree.is_top; });
  return top == all_.end() ? nullptr : &*top;
}

const SystemTree* SystemTrees::find_subvolume(const BootPlace& place, const std::string& path) {
  const auto name = base::printable(place.name + ":" + path);
  const auto known = std::ranges::find(all_, name, &SystemTree::name);
  if (known != all_.end()) return &*known;
  for (const fs::Subvolume& each : place.files->subvolumes())
    if (each.path == path && all_.size() < most_trees)
      return &all_.emplace_back(SystemTree{name, &place, place.files->open_subvolume(each.id), each.is_default});
  return nullptr;
}

const SurveyedPartition* SystemTrees::partition_of(const SystemTree& tree) const {
  const auto found = std::ranges::find_if(contents_.partitions, [&](const SurveyedPartition& each) {
    return fmt::format("p{}", each.partition.number) == tree.place->name;
  });
  return found == contents_.partitions.end() ? nullptr : &*found;
}

bool is_folder(fs::FileSystem& files, std::string_view path) try {
  const auto place = fs::resolve(files, path);
  const auto info = place ? files.info(*place) : std::nullopt;
  return info && info->kind == fs::FileKind::directory;
} catch (const base::Error&) {
  return false;
}

bool holds_anything(fs::FileSystem& files, std::string_view folder) try {
  const auto place = fs::resolve(files, folder);
  const auto node = place ? fs::find(files, *place) : std::nullopt;
  if (!node || files.stat(*node).kind != fs::FileKind::directory) return false;
  bool found = false;
  files.visit(*node, [&](const fs::DirectoryEntry& entry) { return !(found = entry.name != "lost+found"); });
  return found;
} catch (const base::Error&) {
  return false;
}

}  // namespace hrvm::probe
