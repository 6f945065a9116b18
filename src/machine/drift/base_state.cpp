#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/probe/survey.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::machine {
namespace {

bool has_identity(const BaseIdentity& base) { return !base.wwn.empty() || !base.serial.empty(); }

// A disk at a path that is known is the base unless it says that it is another one.
bool may_be(const probe::Disk& disk, const BaseIdentity& base) {
  if (!base.wwn.empty() && !disk.wwn.empty()) return disk.wwn == base.wwn;
  if (!base.serial.empty() && !disk.serial.empty()) return disk.serial == base.serial;
  return true;
}

// An image that is there and cannot be read is reported as such: it is looked for nowhere else.
bool is_broken_image(const BaseIdentity& base) {
  return base.kind == BaseKind::image && sys::status(base.path).type == sys::FileType::regular;
}

std::optional<probe::Disk> locate(const sys::Host& host, const BaseIdentity& base, const std::string& path) {
  try {
    return probe::locate_disk(host, path);
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::permission || is_broken_image(base)) throw;
    return std::nullopt;  // gone, or something else is there now
  }
}

// The format is what the layers' headers say: a raw image whose first bytes were made to look like qcow2 would show
// files of the host.
void check_format(const probe::Disk& disk, const BaseIdentity& base) {
  if (base_format(disk.format) == base.format || base.is_folder()) return;
  throw base::Error(base::ErrorKind::refused, fmt::format("{} is a {} image now, and was {} when it was imported",
                                                          disk.path, word(disk.format), word(base.format)))
      .on(disk.path)
      .hint("put the image back that was imported, or import this one as another machine");
}

bool has_table(const sys::Host& host, const probe::Disk& disk, const std::string& uuid) {
  try {
    return probe::survey_disk(host, disk, probe::Thoroughness::quick).contents.table_uuid == uuid;
  } catch (const base::Error&) {
    return false;
  }
}

// A disk at a path that was never recorded must prove that it is the one.
bool is_surely(const sys::Host& host, const probe::Disk& disk, const BaseIdentity& base) {
  if (has_identity(base)) {
    const bool same_wwn = !base.wwn.empty() && disk.wwn == base.wwn;
    const bool same_serial = !base.serial.empty() && disk.serial == base.serial && disk.model == base.model;
    return same_wwn || (base.wwn.empty() && same_serial);
  }
  return !base.table_uuid.empty() && disk.size_bytes == base.size_bytes && has_table(host, disk, base.table_uuid);
}

BaseState missing(std::string reason) { return {Drift::missing, {}, {std::move(reason)}, {}}; }

bool is_same(const MarkComparison& mark) { return mark.same; }

BaseState compare_bases(std::vector<probe::Disk> disks, const Fingerprint& then, const Fingerprint& now) {
  BaseState state;
  state.now = now;
  state.evidence = compare(then, now);
  state.traces = compare_traces(then, now);
  state.looked_at = looked_at(now, state.traces);
  state.reasons = reasons(state.evidence);
  state.drift = std::ranges::all_of(state.evidence, is_same) ? Drift::none : Drift::changed;
  if (state.drift == Drift::none) state.touched = touches(state.traces);
  state.disks = std::move(disks);
  return state;
}

// All that a base is found by: two machines of one key have the same bases.
std::string key_of(const Definition& definition) {
  std::string key;
  for (const auto& disk : definition.disks)
    key += fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n\n", disk.path, disk.stable_path, word(disk.kind),
                       word(disk.format), disk.size_bytes, disk.model, disk.serial, disk.wwn, disk.table_uuid);
  return key;
}

probe::Disk empty_disk(const BaseIdentity& identity) {
  probe::Disk disk;
  disk.kind = probe::DiskKind::image;
  disk.size_bytes = identity.size_bytes;
  disk.sectors = identity.sectors;
  return disk;
}

}  // namespace

BaseKind base_kind(probe::DiskKind kind) {
  if (kind == probe::DiskKind::directory) return BaseKind::folder;
  return kind == probe::DiskKind::disk ? BaseKind::disk : BaseKind::image;
}

BaseFormat base_format(probe::DiskFormat format) { return from_word<BaseFormat>(word(format)).value(); }

BaseIdentity identity_of(const probe::Disk& disk) {
  BaseIdentity base;
  base.path = disk.path;
  base.stable_path = disk.stable_path;
  base.kind = base_kind(disk.kind);
  base.format = base_format(disk.format);
  base.size_bytes = disk.size_bytes;
  base.sectors = disk.sectors;
  base.model = disk.model;
  base.serial = disk.serial;
  base.wwn = disk.wwn;
  return base;
}

std::optional<probe::Disk> find_base(const sys::Host& host, const BaseIdentity& base) {
  for (const auto& path : {base.stable_path, base.path}) {
    const auto disk = locate(host, base, path);
    if (!disk || base_kind(disk->kind) != base.kind || !may_be(*disk, base)) continue;
    check_format(*disk, base);
    return disk;
  }
  if (base.kind != BaseKind::disk) return std::nullopt;
  for (const auto& disk : probe::attached_disks(host, true))
    if (is_surely(host, disk, base)) return disk;
  return std::nullopt;
}

namespace {

struct FoundBases {
  std::vector<probe::Disk> disks;
  const BaseIdentity* missing = nullptr;  // the first that is not there
};

FoundBases look_for_bases(const sys::Host& host, const Definition& definition) {
  FoundBases found;
  for (const auto& identity : definition.disks) {
    auto disk = identity.is_empty() ? empty_disk(identity) : find_base(host, identity);
    if (!disk) return {{}, &identity};
    found.disks.push_back(*std::move(disk));
  }
  return found;
}

std::string missing_text(const BaseIdentity& identity) {
  return fmt::format("{} is not there, and no attached disk is it", identity.path);
}

}  // namespace

std::vector<probe::Disk> find_bases(const sys::Host& host, const Definition& definition) {
  auto found = look_for_bases(host, definition);
  if (!found.missing) return std::move(found.disks);
  throw base::Error(base::ErrorKind::not_found, missing_text(*found.missing)).on(found.missing->path);
}

BaseExaminer::Found BaseExaminer::look(const Definition& definition) const {
  auto [disks, gone] = look_for_bases(host_, definition);
  if (gone) return {{}, missing_text(*gone), {}};
  // What the guest itself writes to cannot have moved under anything.
  if (definition.is_direct()) return {std::move(disks), {}, {}};
  auto now = take_fingerprint(host_, disks);
  return {std::move(disks), {}, std::move(now)};
}

BaseExaminer::Found BaseExaminer::look_or_say_why(const Definition& definition) const {
  try {
    return look(definition);
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::interrupted) throw;
    const bool is_one_of_many = definition.disks.size() > 1 && !error.path().empty();
    const auto& path = is_one_of_many ? error.path() : definition.disks.front().path;
    return {{}, fmt::format("{} cannot be read: {}", path, error.message()), {}};
  }
}

BaseState BaseExaminer::examine(const Definition& definition, const State& state) {
  const auto key = key_of(definition);
  auto found = found_.find(key);
  if (found == found_.end()) found = found_.emplace(key, look_or_say_why(definition)).first;
  const auto& [disks, gone, now] = found->second;
  if (!gone.empty()) return missing(gone);
  if (definition.is_direct()) return {Drift::none, disks, {}, {}};
  return compare_bases(disks, definition.fingerprints.at(definition.chain(state).back()), now);
}

BaseState examine_base(const sys::Host& host, const Definition& definition, const State& state) {
  return BaseExaminer(host).examine(definition, state);
}

}  // namespace hrvm::machine
