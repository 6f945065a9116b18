#include "cli/steps/import_disks.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "hrvm/base/error.hpp"

namespace hrvm::cli {
namespace {

using probe::Disk;
using probe::Survey;

using SetIds = std::set<std::string>;

SetIds sets_with_missing(const Survey& survey) {
  SetIds ids;
  for (const auto& set : survey.contents.sets)
    if (!set.missing.empty()) ids.insert(set.uuid);
  return ids;
}

bool bears_one_of(const Survey& survey, const SetIds& ids) {
  return std::ranges::any_of(survey.contents.sets, [&](const auto& set) { return ids.contains(set.uuid); });
}

bool boots(const Survey& survey) { return survey.contents.boot.bios || survey.contents.boot.uefi(); }

std::vector<Survey> survey_all(const sys::Host& host, const std::vector<Disk>& disks,
                               probe::Thoroughness thoroughness) {
  std::vector<Survey> surveys;
  for (auto& attempt : probe::survey_disks(host, disks, thoroughness)) {
    if (attempt.error) throw std::move(*attempt.error);
    surveys.push_back(std::move(*attempt.survey));
  }
  return surveys;
}

// Those that cannot be read do not matter: what is missing then is told.
std::vector<Survey> survey_other_attached(const sys::Host& host, const std::vector<Disk>& named) {
  auto disks = probe::attached_disks(host, named.front().bus == "loop");
  std::erase_if(disks, [&](const Disk& disk) {
    return std::ranges::find(named, disk.path, &Disk::path) != named.end() || disk.size_bytes == 0;
  });
  std::vector<Survey> surveys;
  for (auto& attempt : probe::survey_disks(host, disks, probe::Thoroughness::quick))
    if (attempt.survey) surveys.push_back(std::move(*attempt.survey));
  return surveys;
}

// One that is taken may bear a part of yet another set.
void take_along(std::vector<Disk>& named, SetIds wanted, std::vector<Survey> attached) {
  for (auto found = attached.begin(); found != attached.end();) {
    found = std::ranges::find_if(attached, [&](const Survey& each) { return bears_one_of(each, wanted); });
    if (found == attached.end()) return;
    wanted.merge(sets_with_missing(*found));
    named.push_back(found->disk);
    attached.erase(found);
    found = attached.begin();
  }
}

void check_named_once(const std::vector<Disk>& disks) {
  std::set<std::string> paths;
  for (const auto& disk : disks)
    if (!paths.insert(disk.path).second)
      throw base::Error(base::ErrorKind::usage, fmt::format("{} is named twice", disk.path)).on(disk.path);
}

// They are taken along.
void forget_disk_set_findings(Survey& survey) {
  std::erase_if(survey.contents.findings, [](const auto& finding) { return finding.id == "disk-set"; });
}

}  // namespace

bool is_part_of_a_set(const Survey& survey) { return !sets_with_missing(survey).empty(); }

std::vector<Survey> survey_set(const sys::Host& host, std::vector<Disk> named, probe::Thoroughness thoroughness) {
  check_named_once(named);
  auto surveys = survey_all(host, named, thoroughness);
  SetIds wanted;
  for (const auto& survey : surveys) wanted.merge(sets_with_missing(survey));
  if (!wanted.empty() && named.front().kind == probe::DiskKind::disk) {
    const auto count = named.size();
    take_along(named, wanted, survey_other_attached(host, named));
    if (named.size() > count) surveys = survey_all(host, named, thoroughness);
  }
  const auto first = std::ranges::find_if(surveys, boots);
  if (first != surveys.end()) std::rotate(surveys.begin(), first, first + 1);
  for (auto& survey : surveys) forget_disk_set_findings(survey);
  return surveys;
}

}  // namespace hrvm::cli
