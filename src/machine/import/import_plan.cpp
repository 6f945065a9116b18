#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/machine/import.hpp"
#include "machine/change/change_apply.hpp"
#include "machine/import/duplicate_identity.hpp"

namespace hrvm::machine {
namespace {

using base::Error;
using base::ErrorKind;
using base::Finding;
using base::Severity;

constexpr std::uint64_t least_disk = 512;  // one sector

bool is_folder(const probe::Disk& disk) { return disk.kind == probe::DiskKind::directory; }

// What its bytes and its size say that it is: no disk.
bool is_no_disk(const Finding& finding) { return finding.id == "not-a-disk" || finding.id == "image-odd-size"; }

void check_kind(const probe::Survey& survey) {
  if (auto obstacle = import_obstacle(survey.disk, survey.contents)) throw std::move(*obstacle);
}

bool lies_on(const StorageState& storage, const probe::Disk& disk) {
  const auto is_under = [&](const std::string& path) {
    return std::find(storage.disks.begin(), storage.disks.end(), path) != storage.disks.end();
  };
  const bool under = is_under(disk.path) || std::any_of(disk.files.begin(), disk.files.end(),
                                                        [&](const auto& file) { return is_under(file.path); });
  return under || std::any_of(disk.in_use.begin(), disk.in_use.end(), [&](const auto& use) {
           return use.by == probe::UsedBy::mount && use.what == storage.mount_point;
         });
}

// No bus and no firmware stands between a folder and its kernel; and only a folder can be written to by its guest.
void check_request(const probe::Disk& disk, const ImportRequest& request) {
  if (is_folder(disk) && (request.hardware.firmware || request.hardware.bus))
    throw Error(ErrorKind::usage,
                fmt::format("{} is a folder: its machine has no firmware and no bus to choose", disk.path));
  if (!is_folder(disk) && request.direct)
    throw Error(ErrorKind::usage, "--direct is for folders: a disk is never written to").on(disk.path);
}

// A folder's machine has no layers that a disk could have one beside.
void check_disks(const ImportCircumstances& circumstances, const ImportRequest& request) {
  const auto count = circumstances.surveys.size() + request.new_disks.size();
  if (is_folder(circumstances.surveys.front().disk) && count > 1)
    throw Error(ErrorKind::unsupported, "a machine on a folder has no disks of its own beside that")
        .hint("let the guest read one: --disk FILE,ro");
  if (count > most_disks)
    throw Error(ErrorKind::unsupported, fmt::format("a machine has at most {} disks", most_disks));
}

// What the set's other members say that there is besides, and the disks that were looked at do not bear.
// What is found of such a set says so as well, where it is allowed.
void check_sets(const probe::Survey& survey, const ImportRequest& request) {
  if (request.allow_partial) return;
  for (const auto& set : survey.contents.sets) {
    if (set.missing.empty()) continue;
    throw Error(ErrorKind::refused, fmt::format("{} holds a part of {}; missing: {}", survey.disk.path, describe(set),
                                                base::join(set.missing, "; ")))
        .on(survey.disk.path)
        .hint(fmt::format("attach the disk that has it, or name its image: hrvm import {} --disk OTHER; "
                          "--allow-partial imports what is here",
                          base::shell_quote(survey.disk.path)));
  }
}

// Its first disk is the one that starts.
void check_architecture(const probe::Survey& survey, const ImportRequest& request) {
  if (request.force_architecture) return;
  if (auto obstacle = architecture_obstacle(survey.disk, survey.contents)) throw std::move(*obstacle);
}

void check_store_is_elsewhere(const probe::Disk& disk, const StorageState& storage) {
  if (!lies_on(storage, disk)) return;
  throw Error(
      ErrorKind::refused,
      fmt::format("the store lies on {} itself (mounted at {}): each write of the machine would change its base",
                  disk.path, storage.mount_point))
      .on(disk.path)
      .hint(storage.alternatives.empty() ? "name a store on another disk with --store"
                                         : "name a store on another disk with --store; there is room in " +
                                               base::join(storage.alternatives, ", "));
}

void check_use(const probe::Disk& disk, const ImportRequest& request, std::vector<Finding>& findings) {
  heed(objections(disk, Purpose::import), request.allow_in_use, [&](std::string_view) {
    findings.push_back(
        {"base-in-use", Severity::warning, disk.path,
         fmt::format("{} is in use ({}): what changes on it now makes the machine see a filesystem that is "
                     "half old and half new, and boot will refuse it as changed",
                     disk.path, writers_text(disk.in_use)),
         "unmount it, then start over from what it holds by then: hrvm reset MACHINE"});
  });
}

void check_volatile(const StorageState& storage, const ImportRequest& request, std::vector<Finding>& findings) {
  if (!storage.volatile_storage) return;
  const auto elsewhere = storage.alternatives.empty()
                             ? std::string("mount a disk, and name a folder on it with --store")
                             : "name a folder with --store on " + base::join(storage.alternatives, ", ");
  if (!request.allow_volatile)
    throw Error(ErrorKind::refused, fmt::format("the store would not outlive this boot: {}", storage.volatile_reason))
        .hint(elsewhere + "; --allow-volatile keeps it in memory all the same");
  findings.push_back({"store-volatile", Severity::warning, storage.mount_point,
                      "the machine's changes fill memory and are lost with this boot: " + storage.volatile_reason,
                      elsewhere});
}

void check_space(const StorageState& storage, const ImportRequest& request, std::vector<Finding>& findings) {
  if (!storage.low_space) return;
  const auto what = fmt::format("the store has {} free of {}", base::format_bytes(storage.available_bytes),
                                base::format_bytes(storage.total_bytes));
  const auto remedy = storage.alternatives.empty()
                          ? std::string("make room, or name another store with --store")
                          : "make room, or name a folder with --store on " + base::join(storage.alternatives, ", ");
  if (!request.allow_low_space)
    throw Error(ErrorKind::refused, what + ": too little for a machine's changes")
        .hint(remedy + "; --allow-low-space goes on all the same");
  findings.push_back({"store-low-space", Severity::warning, storage.mount_point, what, remedy});
}

void add_contents_findings(const probe::Survey& survey, std::vector<Finding>& findings) {
  findings.insert(findings.end(), survey.contents.findings.begin(), survey.contents.findings.end());
  if (survey.contents.is_blank())
    findings.push_back({"disk-blank", Severity::warning, survey.disk.path,
                        "there is no partition table and no filesystem on it: nothing will boot", ""});
  else if (!survey.contents.own_system())
    findings.push_back({"no-system", Severity::warning, survey.disk.path,
                        "no operating system was recognised on it: it may not boot", ""});
}

bool is_taken(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// "web", "web-2", "web-3": cut where the number would make it too long.
std::string free_name(const std::string& wanted, const std::vector<std::string>& taken) {
  std::string name = wanted;
  for (unsigned number = 2; is_taken(taken, name); ++number) {
    const auto suffix = fmt::format("-{}", number);
    name = wanted.substr(0, std::min(wanted.size(), 63 - suffix.size())) + suffix;
  }
  return name;
}

// The guest's own name, else its system's, else the image's.
std::string derive_name(const probe::Survey& survey) {
  std::vector<std::string> candidates;
  for (const auto& system : survey.contents.systems) {
    if (system.inside) continue;
    if (system.hostname && *system.hostname != "localhost") candidates.push_back(*system.hostname);
    candidates.push_back(system.id);
  }
  if (survey.disk.kind == probe::DiskKind::image) candidates.push_back(sys::Path(survey.disk.path).stem());
  candidates.push_back("machine");
  for (const auto& candidate : candidates)
    if (auto name = derive_machine_name(candidate); !name.empty()) return name;
  return "machine";
}

std::string choose_name(const ImportCircumstances& circumstances, const std::optional<std::string>& asked) {
  if (!asked) return free_name(derive_name(circumstances.surveys.front()), circumstances.taken_names);
  if (!is_machine_name(*asked)) {
    const auto near = derive_machine_name(*asked);
    throw Error(ErrorKind::usage, fmt::format("\"{}\" is no machine's name", base::printable(*asked)))
        .hint(near.empty() ? "a name is made of a-z, 0-9 and . _ -" : "call it " + near);
  }
  if (is_taken(circumstances.taken_names, *asked))
    throw Error(ErrorKind::exists, fmt::format("there is a machine named {} already", *asked))
        .hint(fmt::format("give another name, or remove it: hrvm remove {}", *asked));
  return *asked;
}

// A wish goes before an advice, and stands in place of the advice's reason.
Hardware choose_hardware(const Hardware& advised, const ImportCircumstances& circumstances,
                         const ImportRequest& request) {
  enum Line : std::size_t { firmware, bus, memory, cpus };
  const auto& asked = request.hardware;
  auto hardware = with_request(advised, asked);
  auto& because = hardware.because;
  if (asked.firmware) because.at(firmware) = "firmware as asked for";
  if (asked.bus) because.at(bus) = "bus as asked for";
  if (asked.memory_bytes) because.at(memory) = "memory as asked for";
  if (asked.cpus) because.at(cpus) = "processors as asked for";
  hardware.disks = request.disks;
  hardware.iso = request.iso;
  hardware.mac = circumstances.mac;
  if (is_folder(circumstances.surveys.front().disk)) {
    because.at(firmware) = "BIOS: the kernel in the folder is started without a boot loader";
    because.at(bus) = "virtio: the folder is shared with the guest by virtiofs";
  }
  return hardware;
}

BaseIdentity identity_of_empty(std::uint64_t size_bytes) {
  BaseIdentity base;
  base.kind = BaseKind::empty;
  base.size_bytes = size_bytes;
  return base;
}

std::vector<BaseIdentity> disks_of(const ImportCircumstances& circumstances, const ImportRequest& request) {
  std::vector<BaseIdentity> disks;
  for (const auto& survey : circumstances.surveys)
    disks.push_back(identity_of(survey.disk)), disks.back().table_uuid = survey.contents.table_uuid;
  for (const auto size : request.new_disks) disks.push_back(identity_of_empty(size));
  if (request.direct) disks.front().format = BaseFormat::direct;
  return disks;
}

Definition first_definition(const ImportCircumstances& circumstances, const ImportRequest& request,
                            const Hardware& advised) {
  Definition definition;
  const auto* system = circumstances.surveys.front().contents.own_system();
  definition.uuid = circumstances.uuid;
  definition.created = circumstances.drawn.now;
  definition.log.push_back({1, circumstances.drawn.now, "import", false, std::nullopt});
  definition.description = request.description;
  definition.system = system ? system->pretty : "";
  definition.disks = disks_of(circumstances, request);
  definition.geometry = request.classic ? image::Geometry::classic() : image::Geometry{};
  definition.active.layer = circumstances.drawn.layer_id;
  definition.active.hardware = choose_hardware(advised, circumstances, request);
  return definition;
}

}  // namespace

std::optional<Error> import_obstacle(const probe::Disk& disk, const probe::Contents& contents) {
  if (is_folder(disk)) return std::nullopt;
  if (auto obstacle = image_obstacle(disk)) return obstacle;
  if (disk.size_bytes < least_disk)
    return Error(ErrorKind::corrupt,
                 fmt::format("{} holds {}: that is no disk image", disk.path, base::format_bytes(disk.size_bytes)))
        .on(disk.path)
        .hint("name a whole disk, or an image of one");
  const auto fault = std::ranges::find_if(contents.findings, is_no_disk);
  if (fault == contents.findings.end()) return std::nullopt;
  return Error(ErrorKind::refused, fmt::format("{}: {}", disk.path, fault->message)).on(disk.path).hint(fault->remedy);
}

std::optional<Error> architecture_obstacle(const probe::Disk& disk, const probe::Contents& contents) {
  const auto other = std::ranges::find(contents.findings, "other-architecture", &Finding::id);
  if (other == contents.findings.end()) return std::nullopt;
  return Error(ErrorKind::refused, fmt::format("{}: {}", disk.path, other->message))
      .on(disk.path)
      .hint(other->remedy + "; --force-architecture imports it all the same");
}

ImportPlan plan_import(const ImportCircumstances& circumstances, const ImportRequest& request) {
  const auto& survey = circumstances.surveys.front();
  ImportPlan plan;
  for (const auto& each : circumstances.surveys) check_kind(each);
  check_request(survey.disk, request);
  check_disks(circumstances, request);
  plan.name = choose_name(circumstances, request.name);
  for (const auto& each : circumstances.surveys) {
    check_store_is_elsewhere(each.disk, circumstances.storage);
    check_use(each.disk, request, plan.findings);
  }
  for (const auto& each : circumstances.surveys) check_sets(each, request);
  check_architecture(survey, request);
  check_volatile(circumstances.storage, request, plan.findings);
  check_space(circumstances.storage, request, plan.findings);
  if (is_folder(survey.disk))
    plan.findings.insert(plan.findings.end(), survey.contents.findings.begin(), survey.contents.findings.end());
  else
    add_contents_findings(survey, plan.findings);
  for (auto& finding : duplicate_identities(circumstances.surveys)) plan.findings.push_back(std::move(finding));

  const auto advice = advise(survey, circumstances.host);
  plan.change.what = "import " + plan.name;
  plan.change.definition = first_definition(circumstances, request, advice.hardware);
  if (!request.hardware.firmware)
    plan.findings.insert(plan.findings.end(), advice.findings.begin(), advice.findings.end());
  plan.change.new_layers = layers_on_base(plan.change.definition, circumstances.drawn.layer_id);
  return plan;
}

Machine apply_import(const Store& store, const ImportPlan& plan) {
  const auto lock = store.begin(plan.name);
  const Machine unborn{plan.name, store.folder() / plan.name, 0, plan.change.definition};
  try {
    for (const auto& layer : plan.change.new_layers) write_layer(unborn, layer);
    return store.commit(plan.name, plan.change.definition);
  } catch (const Error&) {
    if (!store.contains(plan.name)) sys::remove_all(unborn.folder);
    throw;
  }
}

}  // namespace hrvm::machine
