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

// An image that is there and cannot be read is told as such: it is looked for nowhere else.
bool is_broken_image(const BaseIdentity& base) {
  return base.kind == "image" && sys::status(base.path).type == sys::FileType::regular;
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
  if (disk.format == base.format || base.is_folder()) return;
  throw base::Error(base::ErrorKind::refused, fmt::format("{} is a {} image now, and was {} when it was imported",
                                                          disk.path, disk.format, base.format))
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

// A disk at a path that was never told must prove that it is the one.
bool is_surely(const sys::Host& host, const probe::Disk& disk, const BaseIdentity& base) {
  if (has_identity(base)) {
    const bool same_wwn = !base.wwn.empty() && disk.wwn == base.wwn;
    const bool same_serial = !base.serial.empty() && disk.serial == base.serial && disk.model == base.model;
    return same_wwn || (base.wwn.empty() && same_serial);
  }
  return !base.table_uuid.empty() && disk.size_bytes == base.size_bytes && has_table(host, disk, base.table_uuid);
}

BaseState missing(std::string reason) { return {Drift::missing, std::nullopt, {std::move(reason)}, {}}; }

BaseState compare_base(const sys::Host& host, const probe::Disk& disk, const Fingerprint& then) {
  BaseState state;
  state.disk = disk;
  state.evidence = compare(then, take_fingerprint(host, disk));
  state.reasons = reasons(state.evidence);
  const bool same =
      std::all_of(state.evidence.begin(), state.evidence.end(), [](const auto& each) { return each.same; });
  state.drift = same ? Drift::none : Drift::changed;
  return state;
}

}  // namespace

std::optional<probe::Disk> find_base(const sys::Host& host, const BaseIdentity& base) {
  for (const auto& path : {base.stable_path, base.path}) {
    const auto disk = locate(host, base, path);
    if (!disk || word(disk->kind) != base.kind || !may_be(*disk, base)) continue;
    check_format(*disk, base);
    return disk;
  }
  if (base.kind != "disk") return std::nullopt;
  for (const auto& disk : probe::attached_disks(host, true))
    if (is_surely(host, disk, base)) return disk;
  return std::nullopt;
}

BaseState examine_base(const sys::Host& host, const Definition& definition, const State& state) {
  try {
    const auto disk = find_base(host, definition.base);
    if (!disk) return missing(fmt::format("{} is not there, and no attached disk is it", definition.base.path));
    // What the guest itself writes to cannot have moved under anything.
    if (definition.base.is_direct()) return {Drift::none, disk, {}, {}};
    return compare_base(host, *disk, definition.fingerprints.at(definition.chain(state).back()));
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::interrupted) throw;
    return missing(fmt::format("{} cannot be read: {}", definition.base.path, error.message()));
  }
}

}  // namespace hrvm::machine
