#include "machine/import/duplicate_identity.hpp"

#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "hrvm/probe/shared_uuid.hpp"

namespace hrvm::machine {
namespace {

constexpr std::size_t most_told = 8;

// What lies in volumes of a set is seen through each of its members; only what bears a filesystem by itself counts.
std::vector<std::string> identities(const probe::Contents& contents) {
  std::vector<std::string> found;
  for (const auto& surveyed : contents.partitions) {
    if (!surveyed.uuid.empty() && !probe::shares_its_uuid(surveyed.filesystem))
      found.push_back("UUID=" + surveyed.uuid);
    if (!surveyed.partition.partuuid.empty()) found.push_back("PARTUUID=" + surveyed.partition.partuuid);
  }
  for (const auto& volume : contents.volumes)
    if (volume.kind == probe::VolumeKind::disk && !volume.uuid.empty() && !probe::shares_its_uuid(volume.filesystem))
      found.push_back("UUID=" + volume.uuid);
  return found;
}

// Two groups of one name, as installers give all theirs the same: LVM activates neither by it.
std::vector<std::string> groups(const probe::Contents& contents) {
  std::vector<std::string> found;
  for (const auto& set : contents.sets)
    if (set.kind == probe::VolumeKind::lvm) found.push_back(set.name + "/" + set.uuid);
  return found;
}

// Whoever makes a mirror copies the table of the first disk to the second, with its ids: nobody mounts by these then.
bool is_copied_table_alone(const std::vector<std::string>& repeated, const probe::Survey& survey,
                           const std::vector<probe::Survey>& surveys) {
  const auto is_of_table = [](const std::string& each) { return each.starts_with("PARTUUID="); };
  const auto shares_a_set = [&](const probe::Survey& other) {
    return &other != &survey && std::ranges::any_of(survey.contents.sets, [&](const probe::DiskSet& set) {
      return std::ranges::find(other.contents.sets, set.uuid, &probe::DiskSet::uuid) != other.contents.sets.end();
    });
  };
  return std::ranges::all_of(repeated, is_of_table) && std::ranges::any_of(surveys, shares_a_set);
}

}  // namespace

std::vector<base::Finding> duplicate_identities(const std::vector<probe::Survey>& surveys) {
  std::map<std::string, std::string> first;                          // identity, disk
  std::map<std::string, std::pair<std::string, std::string>> named;  // group, its UUID and its disk
  std::vector<base::Finding> findings;
  for (const auto& survey : surveys) {
    std::vector<std::string> repeated;
    std::string other;
    for (const auto& identity : identities(survey.contents)) {
      const auto [known, is_new] = first.try_emplace(base::lower(identity), survey.disk.path);
      if (is_new || known->second == survey.disk.path) continue;
      other = known->second;
      if (repeated.size() < most_told) repeated.push_back(identity);
    }
    for (const auto& group : groups(survey.contents)) {
      const auto slash = group.rfind('/');
      const auto name = group.substr(0, slash), uuid = group.substr(slash + 1);
      const auto [known, is_new] = named.try_emplace(name, uuid, survey.disk.path);
      if (is_new || known->second.first == uuid) continue;
      other = known->second.second;
      if (repeated.size() < most_told) repeated.push_back("volume group " + name);
    }
    if (repeated.empty() || is_copied_table_alone(repeated, survey, surveys)) continue;
    findings.push_back(
        {"duplicate-identity", base::Severity::warning, survey.disk.path,
         base::printable(fmt::format("it bears what {} bears as well, as a copy of it does, and the machine takes the "
                                     "one or the other: {}",
                                     other, base::join(repeated, ", "))),
         "give the machine one of the two, or, in it, give the copy others: tune2fs -U random, xfs_admin -U generate, "
         "vgimportclone, sgdisk -G"});
  }
  return findings;
}

}  // namespace hrvm::machine
