#include "hrvm/machine/import_sources.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/fs/folder.hpp"
#include "hrvm/probe/folder.hpp"
#include "hrvm/sys/files.hpp"
#include "hrvm/sys/mounts.hpp"

namespace hrvm::machine {
namespace {

using base::Error;
using base::ErrorKind;
using base::Severity;
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
  for (auto& attempt : probe::survey_disks(host, disks, thoroughness, probe::Belonging::one_machine)) {
    if (attempt.error) throw std::move(*attempt.error);
    surveys.push_back(std::move(*attempt.survey));
  }
  return surveys;
}

// Those that cannot be read do not matter: what is missing then is reported.
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
  for (auto disk = disks.begin(); disk != disks.end(); ++disk) {
    const auto same = std::find_if(disks.begin(), disk, [&](const Disk& each) {
      return each.path == disk->path || sys::is_same_file(each.path, disk->path);
    });
    if (same == disk) continue;
    const auto text = same->path == disk->path ? fmt::format("{} is named twice", disk->path)
                                               : fmt::format("{} and {} are the same disk", same->path, disk->path);
    throw Error(ErrorKind::usage, text).on(disk->path);
  }
}

// They are taken along.
void forget_disk_set_findings(Survey& survey) {
  std::erase_if(survey.contents.findings, [](const auto& finding) { return finding.id == "disk-set"; });
}

void check_store(const Store& store, const probe::Disk& folder) {
  if (!sys::lies_in(std::filesystem::weakly_canonical(store.folder()).string(), folder.path)) return;
  throw Error(ErrorKind::refused, fmt::format("the store lies in {} itself", folder.path))
      .on(store.folder())
      .hint("name a store elsewhere with --store");
}

void check_user(const sys::Host& host, const std::string& folder) {
  if (host.is_root()) return;
  throw Error(
      ErrorKind::permission,
      fmt::format("{} is a folder, and only root can make a machine of one: its files belong to many users", folder))
      .on(folder)
      .hint("run hrvm as root");
}

// What is mounted in a tree by somebody who works in it.
void find_mounts(const sys::Host& host, probe::Survey& survey) {
  std::vector<std::string> found;
  for (const auto& mount : sys::mounts(host))
    if (mount.mount_point != survey.disk.path && sys::lies_in(mount.mount_point, survey.disk.path))
      found.push_back(mount.mount_point);
  if (found.empty()) return;
  survey.contents.findings.push_back({"folder-mounts", Severity::warning, survey.disk.path,
                                      "the machine does not see what is mounted in it: " + base::join(found, ", "),
                                      "unmount that"});
}

}  // namespace

std::string draw_mac(const sys::Host& host) {
  const auto drawn = host.entropy();
  const auto byte = [&](std::size_t i) { return base::hex(drawn[drawn.size() - i], 2); };
  return fmt::format("52:54:00:{}:{}:{}", byte(3), byte(2), byte(1));
}

Disk locate_extra_disk(const sys::Host& host, const std::string& source) {
  auto disk = probe::locate_disk(host, source);
  if (disk.kind == probe::DiskKind::directory)
    throw Error(ErrorKind::unsupported, fmt::format("{} is a folder, not a disk", disk.path)).on(disk.path);
  if (auto obstacle = image_obstacle(disk)) throw std::move(*obstacle);
  return disk;
}

std::string kept_path(const Disk& disk) { return disk.stable_path.empty() ? disk.path : disk.stable_path; }

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

probe::Survey survey_folder(const sys::Host& host, const Store& store, const probe::Disk& folder) {
  check_user(host, folder.path);
  check_store(store, folder);
  const auto files = fs::open_folder({folder.path});
  auto survey = probe::survey_folder(*files, folder);
  for (const auto& finding : survey.contents.findings)
    if (finding.severity == Severity::error)
      throw Error(ErrorKind::unsupported, folder.path + " cannot boot: " + finding.message)
          .on(folder.path)
          .hint(finding.remedy);
  find_mounts(host, survey);
  return survey;
}

bool wants_initramfs(const ImportRequest& request, const probe::Contents& contents) {
  const auto* system = contents.own_system();
  if (request.hardware.bus || system == nullptr || system->family != probe::SystemFamily::linux) return false;
  const auto has = [&](probe::Verdict verdict) {
    return std::ranges::find(system->drivers, verdict, &probe::DriverEvidence::verdict) != system->drivers.end();
  };
  // Its name may keep it from virtio, and then the other buses are in question.
  return system->virtio == probe::Verdict::unknown || (!has(probe::Verdict::yes) && has(probe::Verdict::unknown));
}

ImportCircumstances gather_import(const sys::Host& host, const Store& store,
                                  const std::function<std::vector<Survey>()>& surveys) {
  ImportCircumstances gathered;
  gathered.storage = examine_storage(host, store.folder());
  gathered.host = host_resources(host);
  gathered.taken_names = store.names();
  gathered.drawn = draw(host, store);
  gathered.uuid = host.new_guid();
  gathered.mac = draw_mac(host);
  gathered.surveys = surveys();
  return gathered;
}

}  // namespace hrvm::machine
