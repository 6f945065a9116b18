#include "hrvm/machine/target_disk.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/fingerprint.hpp"
#include "hrvm/machine/objection.hpp"
#include "hrvm/sys/mounts.hpp"

namespace hrvm::machine {

namespace {

using base::Error;
using base::ErrorKind;

void check_kind(const TargetDisk& target) {
  if (target.disk.kind == probe::DiskKind::disk) return;
  const bool is_folder = target.disk.kind == probe::DiskKind::directory;
  throw Error(ErrorKind::unsupported,
              fmt::format("{} is {}, no disk to write onto", target.named, is_folder ? "a folder" : "a file"))
      .on(target.named)
      .hint("an image in a file is made by: hrvm export MACHINE FILE");
}

void check_medium(const TargetDisk& target) {
  if (target.disk.size_bytes != 0) return;
  throw Error(ErrorKind::not_found, fmt::format("there is no disk in {}", target.named))
      .on(target.named)
      .hint("it is a loop device without a file, or a reader without a card");
}

// A kernel's name may be another disk's after a restart, and a filesystem's or a partition's UUID is another disk's
// once a disk was copied. A disk that has no better name is confirmed by what is typed.
void check_name(const TargetDisk& target) {
  for (const auto* folder : {"/dev/disk/by-id/", "/dev/disk/by-path/"})
    if (target.named.starts_with(folder)) return;
  if (target.facts.stable_name.empty()) return;
  throw Error(ErrorKind::refused, fmt::format("{} may be another disk tomorrow: name it by what stays", target.named))
      .on(target.named)
      .hint("--to " + base::shell_quote(target.facts.stable_name));
}

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::ranges::find(all, one) != all.end();
}

void check_host(const sys::Host& host, const TargetDisk& target) {
  if (!contains(probe::all_below(host, "/"), target.disk.path)) return;
  throw Error(ErrorKind::refused, fmt::format("this host runs from {}", target.disk.path))
      .on(target.disk.path)
      .hint("name another disk, or start a rescue system from another one");
}

bool is_same_disk(const BaseIdentity& base, const TargetDisk& target) {
  const auto& disk = target.disk;
  if (base.kind != BaseKind::disk) return false;
  if (!base.wwn.empty() && base.wwn == disk.wwn) return true;
  if (!base.serial.empty() && base.serial == disk.serial && base.size_bytes == disk.size_bytes) return true;
  // Also where another disk has its name by now: who is to tell?
  return contains({disk.path, disk.stable_path, target.named}, base.path) ||
         contains({disk.path, disk.stable_path, target.named}, base.stable_path);
}

// Whether a write to the disk could write to the file, whichever of the two lies on the other.
bool shares_bytes(const sys::Host& host, const std::string& file, const TargetDisk& target) {
  if (contains(probe::all_below(host, file), target.disk.path)) return true;
  return std::ranges::any_of(target.facts.lies_on, [&](const std::string& below) {
    return below == file || sys::is_same_file(host.path(below), host.path(file)) || sys::is_same_file(below, file);
  });
}

std::vector<std::string> files_of(const sys::Host& host, const BaseIdentity& base) {
  if (base.is_empty()) return {};
  auto files = base_files(base);
  files.push_back(base.path);
  if (const auto found = find_base(host, base)) files.push_back(found->path);
  return files;
}

// An image of another format by now is no reason not to look at the file.
std::vector<std::string> files_to_look_at(const sys::Host& host, const BaseIdentity& base) try {
  return files_of(host, base);
} catch (const Error&) {
  return {base.path, base.stable_path};
}

bool is_found(const sys::Host& host, const BaseIdentity& base) try {
  return find_base(host, base).has_value();
} catch (const Error&) {
  return false;
}

// A disk behind another bridge has another serial number, and the same table. Where its base is found elsewhere, a disk
// with its table is a copy: what an export before this one wrote.
bool could_be(const sys::Host& host, const BaseIdentity& base, const TargetDisk& target) {
  if (base.kind != BaseKind::disk || base.table_uuid.empty() || base.table_uuid != target.table_uuid) return false;
  return base.size_bytes == target.disk.size_bytes && !is_found(host, base);
}

// What it has to do with it, in words; nullopt for nothing.
std::optional<std::string> bond(const sys::Host& host, const BaseIdentity& base, const TargetDisk& target) {
  if (is_same_disk(base, target)) return "is the disk";
  const auto shares = [&](const std::string& file) { return shares_bytes(host, file, target); };
  if (could_be(host, base, target))
    return fmt::format("has the partition table of {}, which is not found: it may be the disk", base.path);
  if (std::ranges::any_of(files_to_look_at(host, base), shares))
    return fmt::format("shares bytes with the {} {}", word(base.kind), base.path);
  return std::nullopt;
}

std::vector<BaseIdentity> bases_of(const Store& store, const std::string& name) try {
  return store.load(name).definition.disks;
} catch (const Error& error) {
  throw Error(
      ErrorKind::refused,
      fmt::format("what the machine {} is made of cannot be told, so it could be this disk: {}", name, error.message()))
      .on(store.folder() / name)
      .hint("mend it first (hrvm doctor " + name + " tells how), or remove it");
}

void check_bases(const sys::Host& host, const Store& store, const TargetDisk& target) {
  for (const auto& name : store.names())
    for (const auto& base : bases_of(store, name))
      if (const auto what = bond(host, base, target))
        throw Error(ErrorKind::refused, fmt::format("{} {} that machine {} of the store {} is made of",
                                                    target.disk.path, *what, name, store.folder().string()))
            .on(target.disk.path)
            .hint("name another disk; there is no option that allows this");
}

void check_store(const sys::Host& host, const Store& store, const TargetDisk& target) {
  if (sys::status(store.folder()).type != sys::FileType::directory) return;
  const auto folder = sys::canonical(store.folder()).string();
  const bool bears_it = contains(probe::all_below(host, folder), target.disk.path);
  const bool lies_in_it =
      std::ranges::any_of(target.facts.lies_on, [&](const std::string& file) { return sys::lies_in(file, folder); });
  if (!bears_it && !lies_in_it) return;
  throw Error(ErrorKind::refused, fmt::format("{} {} the store {}", target.disk.path, bears_it ? "bears" : "lies in",
                                              store.folder().string()))
      .on(target.disk.path)
      .hint("name another disk; there is no option that allows this");
}

// Also who only reads it would be given other bytes under its hands.
void check_uses(const TargetDisk& target) {
  auto uses = target.disk.in_use;
  uses.insert(uses.end(), target.facts.uses_of_backing_file.begin(), target.facts.uses_of_backing_file.end());
  if (uses.empty()) return;
  for (auto& use : uses) use.writable = true;
  throw Error(ErrorKind::refused, fmt::format("{} is in use: {}", target.disk.path, writers_text(uses)))
      .on(target.disk.path)
      .hint(way_out(uses));
}

void check_writable(const TargetDisk& target) {
  if (!target.facts.is_read_only) return;
  throw Error(ErrorKind::permission, fmt::format("{} is read-only", target.disk.path))
      .on(target.disk.path)
      .hint("a switch on it, or blockdev --setro, which blockdev --setrw takes back");
}

// What can be typed as it is shown.
bool is_typeable(const std::string& word) {
  return !word.empty() && std::ranges::all_of(word, [](char c) { return c > ' ' && c < 127; });
}

}  // namespace

void check_target(const sys::Host& host, const std::vector<Store>& stores, const TargetDisk& target) {
  check_kind(target);
  check_medium(target);
  check_name(target);
  check_host(host, target);
  for (const auto& store : stores) {
    check_bases(host, store, target);
    check_store(host, store, target);
  }
  check_uses(target);
  check_writable(target);
}

Confirmation confirmation_of(const TargetDisk& target) {
  if (is_typeable(target.disk.serial)) return {"serial number", target.disk.serial};
  const auto file = Path(target.facts.backing_file).filename().string();
  if (is_typeable(file)) return {"backing file's name", file};
  const auto& name = target.facts.stable_name.empty() ? target.disk.path : target.facts.stable_name;
  return {"name", Path(name).filename().string()};
}

}  // namespace hrvm::machine
