#include "probe/choose_files.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::probe {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t most_named = 32;

// With a subvolume where there are several: "p3:@home".
std::vector<std::string> names_of(const OpenDisk& disk) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (names.size() < most_named && !std::ranges::count(names, name)) names.push_back(name);
  };
  for (const BootPlace& place : disk.places) {
    add(place.name);
    for (const fs::Subvolume& each : place.files->subvolumes())
      if (!each.path.empty() && !each.is_snapshot) add(base::printable(fmt::format("{}:{}", place.name, each.path)));
  }
  return names;
}

std::string hint_of(const OpenDisk& disk) {
  const auto names = names_of(disk);
  return names.empty() ? "hrvm discover tells what is on it" : "its volumes: " + base::join(names, ", ");
}

// Of what is there and cannot be read, why not.
std::string why_closed(const Contents& contents, const std::string& volume) {
  std::string type;
  for (const SurveyedPartition& each : contents.partitions)
    if (fmt::format("p{}", each.partition.number) == volume)
      type = each.filesystem.empty() ? "nothing" : each.filesystem;
  for (const Volume& each : contents.volumes)
    if (each.path == volume) type = each.filesystem.empty() ? "nothing" : each.filesystem;
  if (type == "crypto_LUKS") return "it is encrypted";
  if (type == "nothing") return "no filesystem is known in it";
  return type.empty() ? "" : fmt::format("hrvm does not read what it holds ({})", type);
}

Error not_there(const OpenDisk& disk, const std::string& volume) {
  if (const auto why = why_closed(disk.contents, volume); !why.empty())
    return Error(ErrorKind::unsupported, fmt::format("{} cannot be looked into: {}", base::printable(volume), why))
        .hint(hint_of(disk));
  return Error(ErrorKind::not_found, fmt::format("there is no volume {}", base::printable(volume))).hint(hint_of(disk));
}

void use_subvolume(const OpenDisk& disk, const std::string& volume, const FilesUser& use) {
  for (const BootPlace& place : disk.places) {
    if (!volume.starts_with(place.name + ":")) continue;
    const auto path = volume.substr(place.name.size() + 1);
    for (const fs::Subvolume& each : place.files->subvolumes())
      if (each.path == path) {
        const auto view = place.files->open_subvolume(each.id);
        return use({*view, volume, {}});
      }
  }
  throw not_there(disk, volume);
}

void use_volume(const OpenDisk& disk, const std::string& volume, const FilesUser& use) {
  const auto place = std::ranges::find(disk.places, volume, &BootPlace::name);
  if (place == disk.places.end()) return use_subvolume(disk, volume, use);
  use({*place->files, volume, {}});
}

// The mounted whole, or the tree alone where the system has all in one.
std::optional<OpenFiles> files_of(const OpenDisk& disk, const System& system) {
  const auto root = std::ranges::find(disk.roots, system.root, &SystemRoot::name);
  if (root != disk.roots.end()) return OpenFiles{*root->files, system.root, system.mounts};
  const auto tree = std::ranges::find(disk.trees.all(), system.root, &SystemTree::name);
  if (tree == disk.trees.all().end()) return std::nullopt;
  return OpenFiles{tree->files(), tree->name, {}};
}

bool bears_others(const Place& place) { return place.signature && place.signature->usage == "raid"; }

bool is_spread(const Place& place) { return !place.device && place.signature && place.signature->type == "btrfs"; }

// A member of a btrfs of several devices is none by itself.
bool is_volume(const Place& place, bool has_spread) {
  const bool is_member =
      has_spread && place.device && !place.files && place.signature && place.signature->type == "btrfs";
  return !bears_others(place) && !is_member;
}

}  // namespace

OpenDiskFiles all_files(const OpenDisk& disk, const DiskPlaces& places) {
  OpenDiskFiles open;
  const bool has_spread = std::ranges::any_of(places.all(), is_spread);
  for (const Place& place : places.all()) {
    if (!is_volume(place, has_spread)) continue;
    OpenVolume& volume = open.volumes.emplace_back();
    volume.name = place.name;
    if (place.signature) volume.type = place.signature->type, volume.uuid = place.signature->uuid;
    volume.files = place.files.get();
    if (place.device)
      volume.devices = {place.device};
    else if (place.files)
      volume.devices = place.files->devices();
  }
  if (const System* system = disk.contents.own_system())
    if (const auto files = files_of(disk, *system)) open.system.emplace(*files);
  return open;
}

void use_chosen_files(const OpenDisk& disk, const std::string& volume, const FilesUser& use) {
  if (!volume.empty()) return use_volume(disk, volume, use);
  if (const System* system = disk.contents.own_system())
    if (const auto files = files_of(disk, *system)) return use(*files);
  if (disk.places.size() == 1) return use({*disk.places.front().files, disk.places.front().name, {}});
  if (disk.places.empty())
    throw Error(ErrorKind::unsupported, "there is no filesystem that hrvm reads").hint(hint_of(disk));
  throw Error(ErrorKind::usage, "there is no system whose files are meant, and several volumes")
      .hint(fmt::format("name one of them before the path: {}", base::join(names_of(disk), ", ")));
}

}  // namespace hrvm::probe
