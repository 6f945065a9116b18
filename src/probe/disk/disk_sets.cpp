#include "probe/disk/disk_sets.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"

namespace hrvm::probe {
namespace {

std::string_view noun(VolumeKind kind) {
  constexpr std::string_view nouns[] = {"volume group", "array", "ZFS pool", "btrfs filesystem", "disk"};
  return nouns[std::size_t(kind)];
}

void add(std::vector<SharedSet>& shared, const DiskSet& set, std::size_t disk) {
  const auto found = std::ranges::find(shared, set.uuid, [](const SharedSet& each) { return each.set.uuid; });
  if (found == shared.end())
    shared.push_back({set, {disk}});
  else if (found->disks.back() != disk)
    found->disks.push_back(disk);
}

// The first disk was read along with the others.
std::vector<std::string> missing_of(const Contents& contents, const std::string& uuid) {
  const auto set = std::ranges::find(contents.sets, uuid, &DiskSet::uuid);
  return set == contents.sets.end() ? std::vector<std::string>() : set->missing;
}

// "p3" and "p3:@rootfs" lie on "p3", "rpool/ROOT/pve-1" on "rpool".
bool lies_on(std::string_view root, std::string_view place) {
  if (!root.starts_with(place)) return false;
  return root.size() == place.size() || root[place.size()] == ':' || root[place.size()] == '/';
}

bool is_about(const base::Finding& finding, const DiskSet& set) {
  const std::string_view subject = finding.subject;
  return subject == set.name || subject == set.uuid;
}

// What another disk tells already: volumes, the systems on them, what is found of them.
void forget_what_is_told(const Contents& first, const DiskSet& set, Contents& contents) {
  std::vector<std::string> told;
  for (const Volume& volume : contents.volumes)
    if (volume.kind != VolumeKind::disk &&
        std::ranges::find(first.volumes, volume.path, &Volume::path) != first.volumes.end())
      told.push_back(volume.path);
  const auto is_told = [&](std::string_view root) {
    return std::ranges::any_of(told, [&](const std::string& place) { return lies_on(root, place); });
  };
  std::erase_if(contents.volumes,
                [&](const Volume& each) { return each.kind != VolumeKind::disk && is_told(each.path); });
  std::erase_if(contents.systems,
                [&](const System& each) { return is_told(each.inside ? std::string_view(*each.inside) : each.root); });
  std::erase_if(contents.findings, [&](const base::Finding& each) {
    const bool is_of_start = each.id == "no-loader" && contents.own_system() == nullptr;
    return is_told(each.subject) || is_of_start || (each.id.ends_with("-member-missing") && is_about(each, set));
  });
}

// Several sets of the same disks are told together.
struct Together {
  std::vector<std::size_t> disks;
  std::vector<std::string> sets;  // "volume group pve"
};

std::vector<Together> by_disks(const std::vector<SharedSet>& shared) {
  std::vector<Together> all;
  for (const SharedSet& each : shared) {
    auto same = std::ranges::find(all, each.disks, &Together::disks);
    if (same == all.end()) same = all.insert(all.end(), {each.disks, {}});
    same->sets.push_back(describe(each.set));
  }
  return all;
}

std::vector<std::string> paths_of(const std::vector<std::size_t>& disks, const std::vector<SurveyAttempt>& attempts) {
  std::vector<std::string> paths;
  for (const std::size_t disk : disks) paths.push_back(attempts[disk].survey->disk.path);
  return paths;
}

void tell(const Together& together, std::vector<SurveyAttempt>& attempts) {
  const auto paths = paths_of(together.disks, attempts);
  const auto sets = base::join(together.sets, ", ");
  const bool is_one = together.sets.size() == 1;
  for (const std::size_t disk : together.disks) {
    const bool is_first = disk == together.disks.front();
    const auto message =
        is_first
            ? fmt::format("{} {} on several disks: {}", sets, is_one ? "lies" : "lie", base::join(paths, ", "))
            : fmt::format("it bears a part of {}, which {} told with {}", sets, is_one ? "is" : "are", paths.front());
    attempts[disk].survey->contents.findings.push_back(
        {"disk-set", is_first ? base::Severity::warning : base::Severity::note, attempts[disk].survey->disk.path,
         base::printable(message), "a machine needs all of them: " + import_command(paths)});
  }
}

}  // namespace

bool boots(const Survey& survey) { return survey.contents.boot.bios || survey.contents.boot.uefi(); }

std::vector<SharedSet> find_shared_sets(const std::vector<SurveyAttempt>& attempts) {
  std::vector<SharedSet> shared;
  for (std::size_t i = 0; i < attempts.size(); ++i)
    if (attempts[i].survey)
      for (const DiskSet& set : attempts[i].survey->contents.sets)
        if (!set.is_complete) add(shared, set, i);
  std::erase_if(shared, [](const SharedSet& each) { return each.disks.size() < 2; });
  for (SharedSet& each : shared)
    std::stable_partition(each.disks.begin(), each.disks.end(),
                          [&](std::size_t disk) { return boots(*attempts[disk].survey); });
  return shared;
}

void tell_shared_sets(const std::vector<SharedSet>& shared, std::vector<SurveyAttempt>& attempts) {
  for (const SharedSet& each : shared) {
    const auto paths = paths_of(each.disks, attempts);
    const Contents& first = attempts[each.disks.front()].survey->contents;
    const auto missing = missing_of(first, each.set.uuid);
    for (const std::size_t disk : each.disks) {
      Contents& contents = attempts[disk].survey->contents;
      for (DiskSet& set : contents.sets)
        if (set.uuid == each.set.uuid) {
          set.disks = paths;
          set.missing = missing;
        }
      if (disk != each.disks.front()) forget_what_is_told(first, each.set, contents);
    }
  }
  for (const Together& together : by_disks(shared)) tell(together, attempts);
}

std::string describe(const DiskSet& set) { return fmt::format("{} {}", noun(set.kind), set.name); }

std::string import_command(const std::vector<std::string>& disks) {
  std::string command = "hrvm import " + base::shell_quote(disks.front());
  for (std::size_t i = 1; i < disks.size(); ++i) command += " --disk " + base::shell_quote(disks[i]);
  return command;
}

}  // namespace hrvm::probe
