#include "hrvm/machine/layers.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/image/mark.hpp"
#include "machine/drift/marks.hpp"
#include "machine/drift/traces.hpp"
#include "machine/store/store_layout.hpp"

namespace hrvm::machine {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t qcow2_sector = 512;
constexpr Marker marker = {"qcow2", "header and tables", image::look_at_qcow2};

struct Fault {
  std::string text;
  bool is_of_time_alone = false;  // a copy of the store may have lost it
  bool can_be_repaired = false;
};

// A layer, and what may lie below it: first what the definition says, null for the base.
struct Place {
  std::string id, bottom;  // and the layer at the bottom of its chain
  std::vector<std::optional<std::string>> below;
  bool is_being_merged = false;
};

std::vector<Place> places_of(const Machine& machine, const State& state, const std::vector<std::string>& merging) {
  const auto chain = machine.definition.chain(state);
  std::vector<Place> places;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    Place place{chain[i], chain.back(), {}, std::ranges::find(merging, chain[i]) != merging.end()};
    const auto end = place.is_being_merged ? chain.size() : std::min(chain.size(), i + 2);
    for (auto next = i + 1; next < end; ++next) place.below.emplace_back(chain[next]);
    if (place.is_being_merged || i + 1 == chain.size()) place.below.emplace_back(std::nullopt);
    places.push_back(std::move(place));
  }
  return places;
}

// A name of the base that leads nowhere misleads nobody: the base is found by its identity.
bool names_base(const image::BackingReference& backing, const BaseIdentity& base) {
  if (backing.format != word(base.format)) return false;
  if (backing.path == base.stable_path || backing.path == base.path) return true;
  if (std::ranges::find(base.former_paths, backing.path) != base.former_paths.end()) return true;
  return backing.path.starts_with('/') && sys::status(backing.path).type == sys::FileType::missing;
}

bool lies_on(const std::optional<image::BackingReference>& backing, const Definition& definition, std::size_t disk,
             const std::optional<std::string>& below) {
  if (below)
    return backing && backing->format == word(image::ImageFormat::qcow2) &&
           backing->path == definition.layer_name(*below, disk);
  const auto& base = definition.disks[disk];
  return base.is_empty() ? !backing : backing && names_base(*backing, base);
}

std::string below_text(const Definition& definition, std::size_t disk, const std::optional<std::string>& below) {
  if (below) return definition.layer_name(*below, disk);
  return definition.disks[disk].is_empty() ? "nothing" : definition.disks[disk].stable_path;
}

std::optional<Fault> fault_of(const image::ImageInfo& header, const Definition& definition, std::size_t disk,
                              const Place& place) {
  const auto bytes = base::round_up(definition.disk_bytes(place.bottom, disk), qcow2_sector);
  if (header.corrupt) return Fault{"QEMU found it broken, and has marked it as corrupt", false, true};
  if (header.virtual_bytes != bytes)
    return Fault{fmt::format("its header says that the disk has {} bytes, and it has {}", header.virtual_bytes, bytes)};
  if (header.cluster_bytes != definition.geometry.cluster_bytes ||
      header.subclusters != definition.geometry.extended_l2)
    return Fault{"its header says that it has clusters of another kind than it was made with"};
  if (std::ranges::any_of(place.below,
                          [&](const auto& below) { return lies_on(header.backing, definition, disk, below); }))
    return std::nullopt;
  return Fault{fmt::format("its header says that it lies on {}, and it lies on {}",
                           header.backing ? base::printable(header.backing->path) : "nothing",
                           below_text(definition, disk, place.below.front()))};
}

std::optional<Fault> fault_of_header(const Machine& machine, const Place& place, std::size_t disk) {
  try {
    const auto file = block::open_device(machine.layer_path(place.id, disk));
    return fault_of(image::read_info(*file, image::ImageFormat::qcow2), machine.definition, disk, place);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted || error.kind() == ErrorKind::permission) throw;
    return Fault{error.message()};
  }
}

const FrozenFile* frozen_file(const Machine& machine, const std::string& layer, std::size_t disk) {
  const auto found = machine.definition.frozen.find(layer);
  return found == machine.definition.frozen.end() ? nullptr : &found->second.at(disk);
}

std::string hash_of_tables(const Path& path) { return read_mark(marker, *block::open_device(path)); }

// Archives and filesystems that keep whole seconds give a file back with none of its nanoseconds.
bool is_same_time(const std::string& then, const std::string& now) {
  constexpr std::string_view whole = " + 0 ns";
  const auto seconds = then.substr(0, then.find(' '));
  return then == now || now == seconds + std::string(whole);
}

// A layer that was frozen has another size, time or table by now.
std::optional<Fault> fault_since_frozen(const Machine& machine, const Place& place, std::size_t disk, Depth depth) {
  const auto* then = frozen_file(machine, place.id, disk);
  if (!then || place.is_being_merged) return std::nullopt;
  const auto path = machine.layer_path(place.id, disk);
  const auto status = sys::status(path);
  const auto modified = time_text(status.modified);
  const auto when = fmt::format("it was written at {}, after it was frozen", modified.substr(0, modified.find(' ')));
  if (status.size_bytes != then->size_bytes)
    return Fault{fmt::format("it has {} bytes and had {}: {}", status.size_bytes, then->size_bytes, when)};
  if (depth == Depth::tables && hash_of_tables(path) != then->tables)
    return Fault{"its header or tables are others than when it was frozen"};
  if (!is_same_time(then->modified, modified)) return Fault{when, true};
  return std::nullopt;
}

std::optional<Fault> fault_of(const Machine& machine, const Place& place, std::size_t disk, Depth depth) {
  if (auto fault = fault_of_header(machine, place, disk)) return fault;
  return fault_since_frozen(machine, place, disk, depth);
}

template <typename Visit>  // (place, disk, fault)
void visit_faults(const Machine& machine, const State& state, Depth depth, Visit visit) {
  if (machine.definition.is_on_folder()) return;
  for (const auto& place : places_of(machine, state, merging_layers(machine.folder)))
    for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk)
      if (auto fault = fault_of(machine, place, disk, depth)) visit(place, disk, *fault);
}

bool is_sound(const Machine& machine, const State& state) {
  bool sound = true;
  try {
    visit_faults(machine, state, Depth::tables, [&](const Place&, std::size_t, const Fault&) { sound = false; });
  } catch (const Error&) {
    return false;
  }
  return sound;
}

State state_of(const Snapshot& snapshot) {
  return {snapshot.layer, snapshot.nvram, snapshot.hardware, snapshot.parent};
}

// What a person can still go on with.
std::string way_out(const Machine& machine) {
  const auto& definition = machine.definition;
  if (is_sound(machine, definition.active)) return fmt::format("what is active in {} is sound", machine.name);
  const auto held = definition.held_steps();
  for (auto step = held.rbegin(); step != held.rend(); ++step)
    if (is_sound(machine, *(*step)->held))
      return fmt::format("what step {} holds is sound: hrvm undo {} --step {}", (*step)->number, machine.name,
                         (*step)->number);
  for (auto snapshot = definition.snapshots.rbegin(); snapshot != definition.snapshots.rend(); ++snapshot)
    if (!snapshot->is_nameless() && is_sound(machine, state_of(*snapshot)))
      return fmt::format("{0}@{1} is sound: hrvm snapshot revert {0}@{1} --discard", machine.name, snapshot->name);
  return fmt::format("start over from the disk: hrvm reset {} --discard", machine.name);
}

std::string hint_for(const Machine& machine, const Fault& fault, const Path& path) {
  if (fault.can_be_repaired)
    return fmt::format("repair it: hrvm image check --repair all {}; else {}", base::shell_quote(path.string()),
                       way_out(machine));
  if (fault.is_of_time_alone)
    return fmt::format(
        "if only its time was lost, as in a copy of the store: hrvm verify {} --layers --record; else {}", machine.name,
        way_out(machine));
  return "restore the file; else " + way_out(machine);
}

std::string owner_of(const Machine& machine, const std::string& layer) {
  const auto& definition = machine.definition;
  if (definition.active.layer == layer) return "the active layer of " + machine.name;
  for (const auto& snapshot : definition.snapshots)
    if (snapshot.layer == layer && !snapshot.is_nameless())
      return fmt::format("the layer of {}@{}", machine.name, snapshot.name);
  if (const auto* step = definition.holder_of(layer))
    return fmt::format("what step {} of {} holds", step->number, machine.name);
  for (const auto* step : definition.held_steps())
    if (step->held->layer == layer) return fmt::format("what step {} of {} holds", step->number, machine.name);
  return "a layer of " + machine.name;
}

Error damaged(const Machine& machine, const Place& place, std::size_t disk, const Fault& fault) {
  const auto path = machine.layer_path(place.id, disk);
  const bool is_named = fault.text.find(path.string()) != std::string::npos;
  return Error(ErrorKind::corrupt, fmt::format("{} is damaged: {}{}", owner_of(machine, place.id), fault.text,
                                               is_named ? "" : fmt::format(" ({})", path.string())))
      .on(path)
      .hint(hint_for(machine, fault, path));
}

std::vector<State> all_states(const Definition& definition) {
  std::vector<State> states = {definition.active};
  for (const auto* step : definition.held_steps()) states.push_back(*step->held);
  for (const auto& snapshot : definition.snapshots) states.push_back(state_of(snapshot));
  return states;
}

}  // namespace

std::vector<Error> layer_faults(const Machine& machine, const State& state, Depth depth) {
  std::vector<Error> faults;
  visit_faults(machine, state, depth, [&](const Place& place, std::size_t disk, const Fault& fault) {
    faults.push_back(damaged(machine, place, disk, fault));
  });
  return faults;
}

std::vector<Error> layer_faults(const Machine& machine) {
  std::vector<Error> faults;
  std::set<std::string> seen;
  for (const auto& state : all_states(machine.definition))
    visit_faults(machine, state, Depth::tables, [&](const Place& place, std::size_t disk, const Fault& fault) {
      if (seen.insert(machine.definition.layer_name(place.id, disk)).second)
        faults.push_back(damaged(machine, place, disk, fault));
    });
  return faults;
}

std::vector<std::string> all_layers(const Machine& machine) {
  std::vector<std::string> layers;
  for (const auto& state : all_states(machine.definition)) layers.push_back(state.layer);
  return layers;
}

bool has_sound_headers(const Machine& machine, const std::string& layer) {
  for (const auto& state : all_states(machine.definition)) {
    if (state.layer != layer) continue;
    const auto place = places_of(machine, state, {}).front();
    for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk)
      if (fault_of_header(machine, place, disk)) return false;
  }
  return true;
}

std::vector<FrozenFile> frozen_files(const Machine& machine, const std::string& layer) {
  std::vector<FrozenFile> files;
  for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk) {
    const auto path = machine.layer_path(layer, disk);
    const auto status = sys::status(path);
    files.push_back({status.size_bytes, time_text(status.modified), hash_of_tables(path)});
  }
  return files;
}

std::optional<base::Error> memory_fault(const Machine& machine, const Snapshot& snapshot) {
  if (!snapshot.memory) return std::nullopt;
  const auto path = machine.memory_path(snapshot.memory->id);
  const auto found = sys::status(path);
  const bool is_there = found.type == sys::FileType::regular;
  if (is_there && found.size_bytes == snapshot.memory->size_bytes) return std::nullopt;
  const auto how =
      is_there ? fmt::format("has {} bytes and was saved with {}", found.size_bytes, snapshot.memory->size_bytes)
               : "is missing";
  return Error(ErrorKind::corrupt,
               fmt::format("the memory of {}@{}, {}, {}", machine.name, snapshot.name, path.string(), how))
      .on(path)
      .hint(fmt::format("restore the file, or boot without it: hrvm boot {}@{}", machine.name, snapshot.name));
}

// Of the store, and defined where what it looks at is known.
void Store::check_files(const Machine& machine) const {
  check_presence(machine);
  if (machine.definition.is_on_folder()) return;
  const auto merging = merging_layers(machine.folder);
  const auto active = places_of(machine, machine.definition.active, merging).front();
  for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk)
    if (const auto fault = fault_of_header(machine, active, disk)) throw damaged(machine, active, disk, *fault);
  for (const auto& snapshot : machine.definition.snapshots) {
    const bool is_being_merged = std::ranges::find(merging, snapshot.layer) != merging.end();
    const Place place{snapshot.layer, {}, {}, is_being_merged};
    for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk)
      if (const auto fault = fault_since_frozen(machine, place, disk, Depth::headers))
        throw damaged(machine, place, disk, *fault);
  }
}

void Store::check_files(const Machine& machine, const State& state, Depth depth) const {
  for (const auto& layer : machine.definition.chain(state))
    for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk)
      check_file(machine, machine.layer_path(layer, disk));
  if (state.nvram) check_file(machine, machine.nvram_path(*state.nvram));
  auto faults = layer_faults(machine, state, depth);
  if (!faults.empty()) throw std::move(faults.front());
}

}  // namespace hrvm::machine
