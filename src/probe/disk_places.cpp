#include "probe/disk_places.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/block/devices.hpp"
#include "probe/roles.hpp"
#include "probe/settle_signature.hpp"
#include "probe/spread_btrfs.hpp"
#include "probe/table/partition_types.hpp"

namespace hrvm::probe {
namespace {

constexpr std::size_t most_looked_into = 256;  // partitions of one disk, of which a hostile table can have thousands
constexpr std::size_t most_volumes = 256;

std::string role(const SurveyedPartition& surveyed, const Place& place) {
  const std::string role = role_of(surveyed.partition.type, place.signature ? &*place.signature : nullptr);
  if (!place.systems.empty()) return "root";
  if (place.is_esp && (role.empty() || role == "data")) return "esp";
  if (!role.empty() && role != "data") return role;
  if (place.is_boot) return "boot";
  return place.signature && place.signature->usage == "filesystem" ? "data" : role;
}

bool begin_alike(block::BlockDevice& member, block::BlockDevice& volume) try {
  constexpr std::size_t sector = 512;
  return member.read(0, sector) == volume.read(0, sector);
} catch (const base::Error&) {
  return false;  // reported when the volume is looked into
}

}  // namespace

void DiskPlaces::add_companion(block::BlockDevice& disk) {
  const auto table = read_partition_table(disk);
  if (table.kind == TableKind::none) add_companion_member(disk, {}, disk.name());
  for (const Partition& partition : table.partitions)
    add_companion_member(open(disk, partition, table.sector_bytes), partition,
                         fmt::format("{} p{}", disk.name(), partition.number));
}

void DiskPlaces::read() {
  table_ = read_partition_table(disk_);
  contents_.table = table_.kind;
  contents_.table_uuid = table_.uuid;
  contents_.logical_sector_bytes = table_.sector_bytes;
  contents_.findings = table_.findings;
  if (table_.kind == TableKind::none)
    read_whole_disk();
  else
    read_partitions();
  read_volumes();
  read_spread_btrfs();
}

Place& DiskPlaces::add_place(std::string name, block::BlockDevice* device) {
  Place& place = places_.emplace_back();
  place.name = std::move(name);
  place.device = device;
  return place;
}

void DiskPlaces::read_whole_disk() {
  Place& place = add_place("disk", &disk_);
  place.is_seen_by_firmware = true;
  look_into(place, contents_.findings);
  if (!place.signature) return;
  add_volume({"disk", VolumeKind::disk, disk_.size(), "", "", "", ""}, place);
  take(place);
}

void DiskPlaces::add_volume(Volume volume, const Place& place) {
  if (place.signature) {
    volume.filesystem = place.signature->type;
    volume.label = place.signature->label;
    volume.uuid = place.signature->uuid;
  }
  contents_.volumes.push_back(std::move(volume));
}

void DiskPlaces::read_partitions() {
  for (const Partition& partition : table_.partitions) {
    SurveyedPartition surveyed{partition, role_of(partition.type, nullptr), "", "", ""};
    if (contents_.partitions.size() < most_looked_into && surveyed.role != "extended") look_into_partition(surveyed);
    contents_.partitions.push_back(std::move(surveyed));
  }
}

void DiskPlaces::look_into_partition(SurveyedPartition& surveyed) {
  const Partition& partition = surveyed.partition;
  Place& place = add_place(fmt::format("p{}", partition.number), &open(disk_, partition, table_.sector_bytes));
  place.partition = partition.number;
  place.partuuid = partition.partuuid;
  place.is_esp = surveyed.role == "esp";
  place.is_seen_by_firmware = true;
  place.is_extended_boot = partition.type == gpt_extended_boot;
  look_into(place, contents_.findings);
  if (place.signature) {
    surveyed.filesystem = place.signature->type;
    surveyed.label = place.signature->label;
    surveyed.uuid = place.signature->uuid;
  }
  surveyed.role = role(surveyed, place);
  take(place);
}

block::BlockDevice& DiskPlaces::open(block::BlockDevice& disk, const Partition& partition, std::uint32_t sector_bytes) {
  devices_.push_back(block::slice(disk, partition.start_bytes, partition.size_bytes,
                                  fmt::format("{} (partition {})", disk.name(), partition.number)));
  devices_.push_back(block::with_sectors(*devices_.back(),
                                         {sector_bytes, std::max(sector_bytes, disk.sector_sizes().physical_bytes)}));
  return *devices_.back();
}

void DiskPlaces::add_companion_member(block::BlockDevice& device, const Partition& partition, std::string name) {
  if (contents_.companions.size() >= most_looked_into) return;
  auto& surveyed = contents_.companions.emplace_back(SurveyedPartition{partition, "", "", "", ""});
  try {
    const auto settled = settle_signature(device);
    if (!settled.signature) return;
    surveyed.filesystem = settled.signature->type;
    surveyed.label = settled.signature->label;
    surveyed.uuid = settled.signature->uuid;
    companions_.push_back({{&device, std::move(name)}, settled.signature->type});
  } catch (const base::Error&) {
    // Its own survey says that it cannot be read.
  }
}

void DiskPlaces::read_volumes() {
  for (const volume::Assembler& assembler : volume::assemblers())
    if (const auto members = members_of_type(assembler.member_type); !members.empty()) {
      const auto& assembly = assemblies_.emplace_back(assembler.assemble(members));
      contents_.findings.insert(contents_.findings.end(), assembly.findings.begin(), assembly.findings.end());
      for (const volume::MemberSet& set : assembly.sets)
        contents_.sets.push_back({set.kind, set.uuid, set.name, set.is_complete, set.missing, {}});
      for (const volume::Volume& volume : assembly.volumes)
        if (is_of_this_disk(assembly, volume) && ++volumes_read_ <= most_volumes) read_volume(assembly, volume);
    }
}

bool DiskPlaces::is_of_this_disk(const volume::Assembly& assembly, const volume::Volume& volume) const {
  const auto set = std::ranges::find(assembly.sets, volume.set, &volume::MemberSet::uuid);
  if (set == assembly.sets.end()) return true;
  return std::ranges::any_of(set->members, [&](const std::string& member) {
    return std::ranges::find(companions_, member, [](const Companion& each) { return each.member.name; }) ==
           companions_.end();
  });
}

std::vector<volume::Member> DiskPlaces::members_of_type(std::string_view type) const {
  std::vector<volume::Member> members;
  for (const Place& place : places_)
    if (place.device && place.signature && place.signature->type == type) members.push_back({place.device, place.name});
  if (members.empty()) return members;
  for (const Companion& companion : companions_)
    if (companion.type == type) members.push_back(companion.member);
  return members;
}

void DiskPlaces::let_firmware_see(Place& place, const volume::Assembly& assembly, const volume::Volume& volume) const {
  const auto set = std::ranges::find(assembly.sets, volume.set, &volume::MemberSet::uuid);
  if (volume.kind != VolumeKind::md || !volume.device || set == assembly.sets.end()) return;
  for (const Place& member : places_) {
    if (std::ranges::find(set->members, member.name) == set->members.end()) continue;
    if (!member.device || !begin_alike(*member.device, *volume.device)) continue;
    place.is_esp = member.is_esp;
    place.is_seen_by_firmware = member.is_seen_by_firmware;
    place.partition = member.partition;
    return;
  }
}

void DiskPlaces::read_volume(const volume::Assembly& assembly, const volume::Volume& volume) {
  Place& place = add_place(volume.path, volume.device.get());
  let_firmware_see(place, assembly, volume);
  if (volume.device)
    look_into(place, contents_.findings);
  else if (!volume.because.empty())
    contents_.findings.push_back(
        {"volume-closed", base::Severity::note, volume.path, "it cannot be looked into: " + volume.because, ""});
  add_volume({volume.path, volume.kind, volume.size_bytes, "", "", "", volume.details}, place);
  take(place);
  if (volume.device && !place.signature) read_guest_(volume);
}

void DiskPlaces::read_spread_btrfs() {
  const auto members = members_of_type("btrfs");
  const auto others = std::ranges::count(companions_, "btrfs", &Companion::type);
  for (auto& spread : open_spread_btrfs(members, members.size() - std::min(members.size(), std::size_t(others)))) {
    Place& place = add_place(spread.set.name, nullptr);
    place.signature = std::move(spread.signature);
    place.files = std::move(spread.files);
    contents_.findings.insert(contents_.findings.end(), spread.findings.begin(), spread.findings.end());
    if (place.files) look_at_files(place, contents_.findings);
    contents_.sets.push_back(std::move(spread.set));
    add_volume({place.name, VolumeKind::btrfs, spread.size_bytes, "", "", "", spread.details}, place);
    take(place);
  }
}

void DiskPlaces::take(const Place& place) {
  auto& systems = contents_.systems;
  systems.insert(systems.end(), place.systems.begin(), place.systems.end());
  auto& loaders = contents_.boot.loaders;
  loaders.insert(loaders.end(), place.loaders.begin(), place.loaders.end());
}

std::vector<BootPlace> DiskPlaces::boot_places() const {
  std::vector<BootPlace> places;
  for (const Place& place : places_)
    if (place.files)
      places.push_back({place.name, place.signature->uuid, place.signature->label, place.is_esp, place.files.get(),
                        place.is_extended_boot});
  return places;
}

}  // namespace hrvm::probe
