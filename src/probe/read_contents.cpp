// Reading a disk's bytes: its table, what lies in each partition and volume, the systems there, and what starts them.
#include <algorithm>
#include <deque>

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/read_cache.hpp"
#include "hrvm/probe/open_files.hpp"
#include "hrvm/probe/survey.hpp"
#include "hrvm/volume/volumes.hpp"
#include "probe/bios_boot.hpp"
#include "probe/boot_evidence.hpp"
#include "probe/choose_files.hpp"
#include "probe/disk_places.hpp"
#include "probe/foreign_systems.hpp"
#include "probe/roots/architecture.hpp"
#include "probe/roots/assemble_systems.hpp"
#include "probe/roots/system_states.hpp"
#include "probe/start_findings.hpp"
#include "probe/windows_sets.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;

constexpr unsigned deepest_guest = 2;  // guests' disks in volumes of guests' disks

class Reading {
 public:
  // `depth`: 0 is the host's disk, 1 a disk of a guest on it, and so on.
  explicit Reading(block::BlockDevice& disk, Thoroughness thoroughness, unsigned depth = 0)
      : disk_(disk),
        thoroughness_(thoroughness),
        depth_(depth),
        places_(disk, contents_, [this](const volume::Volume& volume) { read_guest(volume); }) {}
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  void add_companion(block::BlockDevice& disk) { places_.add_companion(disk); }

  Contents run() && {
    places_.read();
    judge_boot();
    settle_systems();
    settle_hibernation();
    tell_live_medium();
    if (depth_ == 0) judge_start();
    return std::move(contents_);
  }

  // Instead of run().
  void use_files(const std::string& volume, const FilesUser& use) && {
    use_open_disk([&](const OpenDisk& disk) { use_chosen_files(disk, volume, use); });
  }

  void use_all_files(const std::function<void(const OpenDiskFiles&)>& use) && {
    use_open_disk([&](const OpenDisk& disk) { use(all_files(disk, places_)); });
  }

 private:
  void use_open_disk(const std::function<void(const OpenDisk&)>& use) {
    places_.read();
    const auto places = places_.boot_places();
    const auto menus = read_boot_menus(places);
    SystemTrees trees(places, contents_);
    const auto roots = assemble_systems(contents_, trees, menus);
    order_systems();
    use({contents_, places, trees, roots});
  }

  void add(std::string id, Severity severity, std::string subject, std::string message, std::string remedy = {}) {
    contents_.findings.push_back({std::move(id), severity, std::move(subject), std::move(message), std::move(remedy)});
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

  void settle_systems() {
    const auto places = places_.boot_places();
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
    const auto* boot = only_boot_place();
    if (guests - systems.begin() == 1 && boot && !boot->boot_kernels.empty())
      systems.front().kernels = boot->boot_kernels;
  }

  const Place* only_boot_place() const {
    const auto& places = places_.all();
    const auto first = std::ranges::find_if(places, &Place::is_boot);
    return std::ranges::count_if(places, &Place::is_boot) == 1 ? &*first : nullptr;
  }

  void add_foreign_systems() {
    for (System& system : foreign_systems(contents_)) contents_.systems.push_back(std::move(system));
    if (places_.table().kind == TableKind::none && contents_.systems.empty() && has_disklabel(disk_))
      contents_.systems.push_back(system_by_disklabel());
    for (base::Finding& finding : windows_sets(disk_, places_.table()))
      contents_.findings.push_back(std::move(finding));
  }

  BootQuestions questions() const {
    if (depth_ > 0) return BootQuestions::of_a_guest;
    return thoroughness_ == Thoroughness::full ? BootQuestions::all : BootQuestions::quick;
  }

  void settle_hibernation() {
    const auto& places = places_.all();
    const auto hibernated = std::find_if(places.rbegin(), places.rend(), [](const Place& place) {
      return place.signature && place.signature->type == "swsuspend";
    });
    if (hibernated == places.rend()) return;
    for (System& system : contents_.systems)
      if (!system.inside) system.hibernated = true;
    add("hibernated", Severity::warning, hibernated->name,
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
    const BiosVerdict verdict = judge_bios_boot(disk_, places_.table());
    contents_.boot.bios = verdict.boots;
    contents_.boot.bios_reason = verdict.reason;
    auto& loaders = contents_.boot.loaders;
    std::stable_partition(loaders.begin(), loaders.end(), [](const EfiLoader& loader) { return loader.removable; });
    tell_shim();
  }

  // By the kernels that lie beside the roots: on a boot partition, or where firmware of a board looks for them.
  std::string_view architecture_of_boot() const {
    for (const Place& place : places_.all())
      if (place.files && place.systems.empty() && (place.is_boot || place.is_seen_by_firmware))
        if (const auto name = architecture_of_kernels(*place.files, "/"); !name.empty()) return name;
    return {};
  }

  void judge_start() {
    const bool is_known = contents_.own_system() != nullptr && !contents_.own_system()->architecture.empty();
    std::vector<OtherLoader> others;
    for (const Place& place : places_.all())
      others.insert(others.end(), place.other_loaders.begin(), place.other_loaders.end());
    add_start_findings(contents_, {disk_.name(), others, is_known ? std::string_view() : architecture_of_boot()});
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

  block::BlockDevice& disk_;
  Thoroughness thoroughness_;
  unsigned depth_;
  Contents contents_;
  DiskPlaces places_;
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

void with_reading(block::BlockDevice& disk, const std::vector<block::BlockDevice*>& companions,
                  const std::function<void(Reading&)>& use) {
  std::deque<block::ReadCache> caches;
  Reading reading(caches.emplace_back(disk, block::ReadCache::Manner::ahead), Thoroughness::quick);
  for (block::BlockDevice* companion : companions)
    reading.add_companion(caches.emplace_back(*companion, block::ReadCache::Manner::ahead));
  use(reading);
}

}  // namespace

void with_files(block::BlockDevice& disk, const std::vector<block::BlockDevice*>& companions, const std::string& volume,
                const FilesUser& use) {
  with_reading(disk, companions, [&](Reading& reading) { std::move(reading).use_files(volume, use); });
}

void with_all_files(block::BlockDevice& disk, const std::vector<block::BlockDevice*>& companions,
                    const std::function<void(const OpenDiskFiles&)>& use) {
  with_reading(disk, companions, [&](Reading& reading) { std::move(reading).use_all_files(use); });
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
