// Reading a disk's bytes: its table, what lies in each partition and volume, the systems there, and what starts them.
#include <algorithm>
#include <deque>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/block/read_cache.hpp"
#include "hrvm/probe/open_files.hpp"
#include "hrvm/probe/survey.hpp"
#include "hrvm/volume/volumes.hpp"
#include "probe/bios_boot.hpp"
#include "probe/boot_evidence.hpp"
#include "probe/choose_files.hpp"
#include "probe/foreign_systems.hpp"
#include "probe/place.hpp"
#include "probe/roles.hpp"
#include "probe/roots/architecture.hpp"
#include "probe/roots/assemble_systems.hpp"
#include "probe/roots/system_states.hpp"
#include "probe/settle_signature.hpp"
#include "probe/spread_btrfs.hpp"
#include "probe/start_findings.hpp"
#include "probe/table/partition_types.hpp"
#include "probe/windows_sets.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;

constexpr std::size_t most_looked_into = 256;  // partitions of one disk, of which a hostile table can have thousands
constexpr std::size_t most_volumes = 256;
constexpr unsigned deepest_guest = 2;  // guests' disks in volumes of guests' disks

class Reading {
 public:
  // `depth`: 0 is the host's disk, 1 a disk of a guest on it, and so on.
  explicit Reading(block::BlockDevice& disk, Thoroughness thoroughness, unsigned depth = 0)
      : disk_(disk), thoroughness_(thoroughness), depth_(depth) {}

  // Before run(): another disk that bears members of what lies on this one.
  void add_companion(block::BlockDevice& disk) {
    const auto table = read_partition_table(disk);
    if (table.kind == TableKind::none) add_companion_member(disk, {}, disk.name());
    for (const Partition& partition : table.partitions)
      add_companion_member(open(disk, partition, table.sector_bytes), partition,
                           fmt::format("{} p{}", disk.name(), partition.number));
  }

  Contents run() && {
    read_structure();
    judge_boot();
    settle_systems();
    settle_hibernation();
    tell_live_medium();
    if (depth_ == 0) judge_start();
    return std::move(contents_);
  }

  // Instead of run().
  void use_files(const std::string& volume, const FilesUser& use) && {
    read_structure();
    const auto places = boot_places();
    const auto menus = read_boot_menus(places);
    SystemTrees trees(places, contents_);
    const auto roots = assemble_systems(contents_, trees, menus);
    order_systems();
    use_chosen_files({contents_, places, trees, roots}, volume, use);
  }

 private:
  void read_structure() {
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

  void add(std::string id, Severity severity, std::string subject, std::string message, std::string remedy = {}) {
    contents_.findings.push_back({std::move(id), severity, std::move(subject), std::move(message), std::move(remedy)});
  }

  Place& add_place(std::string name, block::BlockDevice* device) {
    Place& place = places_.emplace_back();
    place.name = std::move(name);
    place.device = device;
    return place;
  }

  void read_whole_disk() {
    Place& place = add_place("disk", &disk_);
    place.is_seen_by_firmware = true;
    look_into(place, contents_.findings);
    if (!place.signature) return;
    add_volume({"disk", VolumeKind::disk, disk_.size(), "", "", "", ""}, place);
    take(place);
  }

  void add_volume(Volume volume, const Place& place) {
    if (place.signature) {
      volume.filesystem = place.signature->type;
      volume.label = place.signature->label;
      volume.uuid = place.signature->uuid;
    }
    contents_.volumes.push_back(std::move(volume));
  }

  void read_partitions() {
    for (const Partition& partition : table_.partitions) {
      SurveyedPartition surveyed{partition, role_of(partition.type, nullptr), "", "", ""};
      if (contents_.partitions.size() < most_looked_into && surveyed.role != "extended") look_into_partition(surveyed);
      contents_.partitions.push_back(std::move(surveyed));
    }
  }

  void look_into_partition(SurveyedPartition& surveyed) {
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

  // Stays open until the disk is read: volumes may lie on it.
  block::BlockDevice& open(block::BlockDevice& disk, const Partition& partition, std::uint32_t sector_bytes) {
    devices_.push_back(block::slice(disk, partition.start_bytes, partition.size_bytes,
                                    fmt::format("{} (partition {})", disk.name(), partition.number)));
    devices_.push_back(block::with_sectors(*devices_.back(),
                                           {sector_bytes, std::max(sector_bytes, disk.sector_sizes().physical_bytes)}));
    return *devices_.back();
  }

  void add_companion_member(block::BlockDevice& device, const Partition& partition, std::string name) {
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

  static std::string role(const SurveyedPartition& surveyed, const Place& place) {
    const std::string role = role_of(surveyed.partition.type, place.signature ? &*place.signature : nullptr);
    if (!place.systems.empty()) return "root";
    if (place.is_esp && (role.empty() || role == "data")) return "esp";
    if (!role.empty() && role != "data") return role;
    if (place.is_boot) return "boot";
    return place.signature && place.signature->usage == "filesystem" ? "data" : role;
  }

  void read_volumes() {
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

  // Not of sets that lie on companions alone.
  bool is_of_this_disk(const volume::Assembly& assembly, const volume::Volume& volume) const {
    const auto set = std::ranges::find(assembly.sets, volume.set, &volume::MemberSet::uuid);
    if (set == assembly.sets.end()) return true;
    return std::ranges::any_of(set->members, [&](const std::string& member) {
      return std::ranges::find(companions_, member, [](const Companion& each) { return each.member.name; }) ==
             companions_.end();
    });
  }

  // What was assembled before may bear members itself.
  std::vector<volume::Member> members_of_type(std::string_view type) const {
    std::vector<volume::Member> members;
    for (const Place& place : places_)
      if (place.device && place.signature && place.signature->type == type)
        members.push_back({place.device, place.name});
    if (members.empty()) return members;
    for (const Companion& companion : companions_)
      if (companion.type == type) members.push_back(companion.member);
    return members;
  }

  // A mirror whose metadata lie at the end of its members is, for a firmware, a FAT on each of them.
  void let_firmware_see(Place& place, const volume::Assembly& assembly, const volume::Volume& volume) const {
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

  static bool begin_alike(block::BlockDevice& member, block::BlockDevice& volume) try {
    constexpr std::size_t sector = 512;
    return member.read(0, sector) == volume.read(0, sector);
  } catch (const base::Error&) {
    return false;  // reported when the volume is looked into
  }

  void read_volume(const volume::Assembly& assembly, const volume::Volume& volume) {
    Place& place = add_place(volume.path, volume.device.get());
    let_firmware_see(place, assembly, volume);
    if (volume.device)
      look_into(place, contents_.findings);
    else if (!volume.because.empty())
      add("volume-closed", Severity::note, volume.path, "it cannot be looked into: " + volume.because);
    add_volume({volume.path, volume.kind, volume.size_bytes, "", "", "", volume.details}, place);
    take(place);
    if (volume.device && !place.signature) read_guest(volume);
  }

  void read_spread_btrfs() {
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

  // A volume with a partition table is a guest's disk: its systems are reported as the guest's, and not as this disk's.
  void read_guest(const volume::Volume& volume) {
    if (depth_ == deepest_guest) return;
    auto guest = Reading(*volume.device, Thoroughness::quick, depth_ + 1).run();
    for (auto& system : guest.systems) {
      system.inside = system.inside ? volume.path + " " + *system.inside : volume.path;
      contents_.systems.push_back(std::move(system));
    }
    for (auto& finding : guest.findings)
      add(std::move(finding.id), std::min(finding.severity, Severity::warning),
          fmt::format("{} {}", volume.path, finding.subject), std::move(finding.message), std::move(finding.remedy));
  }

  void take(const Place& place) {
    auto& systems = contents_.systems;
    systems.insert(systems.end(), place.systems.begin(), place.systems.end());
    if (place.signature && place.signature->type == "swsuspend") hibernated_ = place.name;
    auto& loaders = contents_.boot.loaders;
    loaders.insert(loaders.end(), place.loaders.begin(), place.loaders.end());
    other_loaders_.insert(other_loaders_.end(), place.other_loaders.begin(), place.other_loaders.end());
    if (place.is_boot) boot_kernels_.push_back(place.boot_kernels);
  }

  void settle_systems() {
    const auto places = boot_places();
    const auto menus = read_boot_menus(places);
    SystemTrees trees(places, contents_);
    const auto roots = assemble_systems(contents_, trees, menus);
    add_states(contents_, trees, roots, menus);
    order_systems();
    add_boot_evidence(contents_, places, questions(), menus, roots);
  }

  // This disk's own come first. A boot partition holds the kernels of the one that is there.
  void order_systems() {
    auto& systems = contents_.systems;
    if (depth_ == 0) add_foreign_systems();
    const auto guests =
        std::stable_partition(systems.begin(), systems.end(), [](const System& system) { return !system.inside; });
    if (guests - systems.begin() == 1 && boot_kernels_.size() == 1 && !boot_kernels_.front().empty())
      systems.front().kernels = boot_kernels_.front();
  }

  void add_foreign_systems() {
    for (System& system : foreign_systems(contents_)) contents_.systems.push_back(std::move(system));
    if (table_.kind == TableKind::none && contents_.systems.empty() && has_disklabel(disk_))
      contents_.systems.push_back(system_by_disklabel());
    for (base::Finding& finding : windows_sets(disk_, table_)) contents_.findings.push_back(std::move(finding));
  }

  BootQuestions questions() const {
    if (depth_ > 0) return BootQuestions::of_a_guest;
    return thoroughness_ == Thoroughness::full ? BootQuestions::all : BootQuestions::quick;
  }

  std::vector<BootPlace> boot_places() const {
    std::vector<BootPlace> places;
    for (const Place& place : places_)
      if (place.files)
        places.push_back({place.name, place.signature->uuid, place.signature->label, place.is_esp, place.files.get(),
                          place.is_extended_boot});
    return places;
  }

  void settle_hibernation() {
    if (hibernated_.empty()) return;
    for (System& system : contents_.systems)
      if (!system.inside) system.hibernated = true;
    add("hibernated", Severity::warning, hibernated_,
        "it holds a hibernated system, which would wake up on other hardware in a machine",
        "boot the disk once and shut it down, or add noresume to the kernel's command line in the machine");
  }

  void tell_live_medium() {
    const auto name = iso_volume_name(disk_);
    if (!name) return;
    add("live-medium", Severity::note, disk_.name(),
        fmt::format("it is a live or installation medium: {}", name->empty() ? "without a name" : *name));
  }

  void judge_boot() {
    const BiosVerdict verdict = judge_bios_boot(disk_, table_);
    contents_.boot.bios = verdict.boots;
    contents_.boot.bios_reason = verdict.reason;
    auto& loaders = contents_.boot.loaders;
    std::stable_partition(loaders.begin(), loaders.end(), [](const EfiLoader& loader) { return loader.removable; });
    tell_shim();
  }

  // By the kernels that lie beside the roots: on a boot partition, or where firmware of a board looks for them.
  std::string_view architecture_of_boot() const {
    for (const Place& place : places_)
      if (place.files && place.systems.empty() && (place.is_boot || place.is_seen_by_firmware))
        if (const auto name = architecture_of_kernels(*place.files, "/"); !name.empty()) return name;
    return {};
  }

  void judge_start() {
    const bool is_known = contents_.own_system() != nullptr && !contents_.own_system()->architecture.empty();
    add_start_findings(contents_,
                       {disk_.name(), other_loaders_, is_known ? std::string_view() : architecture_of_boot()});
  }

  void tell_shim() {
    const auto shim = std::ranges::find_if(contents_.boot.loaders, [](const EfiLoader& loader) {
      return base::lower(loader.path).ends_with("/shimx64.efi");
    });
    if (shim == contents_.boot.loaders.end()) return;
    add("secure-boot-shim", Severity::note, fmt::format("p{}", shim->partition),
        fmt::format(
            "its boot loader is started by a Secure Boot shim, {}: a machine checks no signatures, and starts it "
            "all the same",
            shim->path));
  }

  struct Companion {
    volume::Member member;
    std::string type;
  };

  block::BlockDevice& disk_;
  Thoroughness thoroughness_;
  unsigned depth_;
  std::vector<Companion> companions_;
  std::vector<std::unique_ptr<block::BlockDevice>> devices_;
  std::deque<volume::Assembly> assemblies_;
  std::deque<Place> places_;  // of this disk; guests' have their own
  std::size_t volumes_read_ = 0;
  PartitionTable table_;
  Contents contents_;
  std::vector<OtherLoader> other_loaders_;
  std::string hibernated_;
  std::vector<std::vector<std::string>> boot_kernels_;
};

Contents read_through(block::BlockDevice& disk, const std::vector<block::BlockDevice*>& companions,
                      std::deque<block::ReadCache>& caches, Thoroughness thoroughness) try {
  Reading reading(disk, thoroughness);
  for (block::BlockDevice* companion : companions)
    reading.add_companion(caches.emplace_back(*companion, block::ReadCache::Manner::ahead));
  return std::move(reading).run();
} catch (const base::Error& error) {
  Contents contents;
  contents.findings.push_back({"disk-unreadable", Severity::error, disk.name(),
                               fmt::format("the disk cannot be read: {}", error.message()), error.hint()});
  return contents;
}

}  // namespace

void with_files(block::BlockDevice& disk, const std::vector<block::BlockDevice*>& companions, const std::string& volume,
                const FilesUser& use) {
  std::deque<block::ReadCache> caches;
  Reading reading(caches.emplace_back(disk, block::ReadCache::Manner::ahead), Thoroughness::quick);
  for (block::BlockDevice* companion : companions)
    reading.add_companion(caches.emplace_back(*companion, block::ReadCache::Manner::ahead));
  std::move(reading).use_files(volume, use);
}

const System* Contents::own_system() const {
  return systems.empty() || systems.front().inside ? nullptr : &systems.front();
}

std::string describe(const EfiLoader& loader) {
  return loader.partition == 0 ? loader.path : fmt::format("{} on p{}", loader.path, loader.partition);
}

bool BootEvidence::removable_loader() const { return std::ranges::any_of(loaders, &EfiLoader::removable); }

Contents read_contents(block::BlockDevice& disk, const std::vector<block::BlockDevice*>& companions,
                       Thoroughness thoroughness) {
  std::deque<block::ReadCache> caches;
  Contents contents =
      read_through(caches.emplace_back(disk, block::ReadCache::Manner::ahead), companions, caches, thoroughness);
  for (const auto& cache : caches) {
    contents.reads.reads += cache.count().reads;
    contents.reads.bytes += cache.count().bytes;
  }
  return contents;
}

}  // namespace hrvm::probe
