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

bool boots(const SurveyAttempt& attempt) {
  const BootEvidence& boot = attempt.survey->contents.boot;
  return boot.bios || boot.uefi();
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

}  // namespace

std::vector<SharedSet> find_shared_sets(const std::vector<SurveyAttempt>& attempts) {
  std::vector<SharedSet> shared;
  for (std::size_t i = 0; i < attempts.size(); ++i)
    if (attempts[i].survey)
      for (const DiskSet& set : attempts[i].survey->contents.sets)
        if (!set.is_complete) add(shared, set, i);
  std::erase_if(shared, [](const SharedSet& each) { return each.disks.size() < 2; });
  for (SharedSet& each : shared)
    std::stable_partition(each.disks.begin(), each.disks.end(),
                          [&](std::size_t disk) { return boots(attempts[disk]); });
  return shared;
}

void tell_shared_set(const SharedSet& shared, std::vector<SurveyAttempt>& attempts) {
  std::vector<std::string> paths;
  for (const std::size_t disk : shared.disks) paths.push_back(attempts[disk].survey->disk.path);
  const auto missing = missing_of(attempts[shared.disks.front()].survey->contents, shared.set.uuid);
  for (const std::size_t disk : shared.disks) {
    Contents& contents = attempts[disk].survey->contents;
    for (DiskSet& set : contents.sets)
      if (set.uuid == shared.set.uuid) {
        set.disks = paths;
        set.missing = missing;
      }
    contents.findings.push_back(
        {"disk-set", base::Severity::warning, attempts[disk].survey->disk.path,
         base::printable(fmt::format("{} lies on several disks: {}", describe(shared.set), base::join(paths, ", "))),
         "a machine needs all of them: " + import_command(paths)});
  }
}

std::string describe(const DiskSet& set) { return fmt::format("{} {}", noun(set.kind), set.name); }

std::string import_command(const std::vector<std::string>& disks) {
  std::string command = "hrvm import " + base::shell_quote(disks.front());
  for (std::size_t i = 1; i < disks.size(); ++i) command += " --disk " + base::shell_quote(disks[i]);
  return command;
}

}  // namespace hrvm::probe
