#include "hrvm/machine/objection.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <ranges>
#include <utility>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/image_lock.hpp"

namespace hrvm::machine {
namespace {

using base::Error;
using base::ErrorKind;
using probe::Use, probe::UsedBy;

struct Sentence {
  std::string_view message, hint;
};

// What is said for a purpose; empty where it is not asked.
struct Words {
  Purpose purpose;
  Sentence missing, changed, in_use;
};

constexpr std::array all_words{
    Words{Purpose::boot,
          {"{base_of} of {machine} is missing: {reasons}", "{way_back}"},
          {"{what_moved}: {reasons}",
           "start over from the disk as it is: hrvm reset {machine}; or make another machine of it: hrvm import "
           "{quoted_base}; hrvm boot {machine} --force boots it all the same, and files that changed may be damaged"},
          {"{disk} is in use for writing: {writer}", "{way_out}; --force boots all the same"}},
    Words{Purpose::revert,
          {"the base of {machine} is missing: {reasons}", "{way_back}"},
          {"{base} is not what these layers of {machine} were made on: {reasons}",
           "start over from the base as it is: hrvm reset {machine}; --force goes on all the same"},
          {}},
    Words{Purpose::reset,
          {"the base of {machine} is missing: {reasons}", "{way_back}"},
          {},
          {"{disk} is in use ({uses}): what is written to it now will make boot refuse it as changed", ""}},
    Words{Purpose::exporting,
          {"the base of {machine} is missing: {reasons}", "{way_back}"},
          {"{base} is not what {machine} was made on: {reasons}", "--force exports what it shows now"},
          {"{disk} is in use ({writer}), and may change while it is read", "--force exports what it shows now"}},
    Words{
        Purpose::import, {}, {}, {"{disk} is in use: {writers}", "{way_out}; --allow-in-use imports it all the same"}},
    Words{Purpose::reading,
          {"{base_of} of {machine} is missing: {reasons}", "{way_back}"},
          {"{base} is not what {machine} was made on: {reasons}",
           "what lies in layers may not fit to it any more; --force reads what it shows now"},
          {"{disk} is open for writing by {writer}, and may change while it is read",
           "{way_out}, or add --allow-in-use"}},
    Words{Purpose::checkup,
          {"{machine}: its disk {missing_disk}", "{way_back}"},
          {"{machine}: its disk {base} has changed: {reasons}",
           "hrvm reset {machine}   (its changes are held for hrvm undo)"},
          {}},
};

const Words& words_for(Purpose purpose) { return *std::ranges::find(all_words, purpose, &Words::purpose); }

// A sentence with its gaps filled.
template <typename... Gaps>
Error said(ErrorKind kind, const Sentence& sentence, const std::string& path, const Gaps&... gaps) {
  return Error(kind, fmt::format(fmt::runtime(sentence.message), gaps...))
      .on(path)
      .hint(fmt::format(fmt::runtime(sentence.hint), gaps...));
}

std::string what_moved(const Machine& machine, const BaseState& base) {
  if (machine.definition.disks.size() > 1)
    return fmt::format("a disk of {} has changed under its layers", machine.name);
  return fmt::format("{} has changed under the layers of {}", base.disks.front().path, machine.name);
}

Objection base_changed(const Machine& machine, const BaseState& base, Purpose purpose) {
  const auto& path = machine.definition.disks.front().path;
  const auto moved = what_moved(machine, base), reasons = base::join(base.reasons, "; ");
  return {said(ErrorKind::refused, words_for(purpose).changed, path, fmt::arg("machine", machine.name),
               fmt::arg("base", path), fmt::arg("quoted_base", base::shell_quote(path)), fmt::arg("what_moved", moved),
               fmt::arg("reasons", reasons)),
          true};
}

// A few dozen samples do not see what was written between them.
Objection base_touched(const Machine& machine, const BaseState& base) {
  const auto& disk = machine.definition.disks.front();
  const auto way = disk.sha256.empty()
                       ? fmt::format(
                             "no SHA-256 of it was taken to tell by; hrvm verify --full --record {} takes it for "
                             "what it is now",
                             machine.name)
                       : fmt::format("hrvm verify --full {} can tell", machine.name);
  return {Error(ErrorKind::refused,
                fmt::format("{} was touched since the layers of {} were made: {}; what was looked at is equal",
                            disk.path, machine.name, base::join(base.touched, ", ")))
              .on(disk.path)
              .hint(way),
          true, true};
}

// "mounted at /mnt", "dm pve-root", "machine web (process 4711)".
std::string writer_text(const Use& use) {
  if (use.by == UsedBy::qemu) return use.what;
  return fmt::format("{} {}", use.by == UsedBy::mount ? "mounted at" : word(use.by), use.what);
}

// The command that ends a use of its kind, where there is one.
constexpr std::array<std::pair<UsedBy, std::string_view>, 6> ending_commands{{{UsedBy::mount, "umount"},
                                                                              {UsedBy::swap, "swapoff"},
                                                                              {UsedBy::dm, "dmsetup remove"},
                                                                              {UsedBy::md, "mdadm --stop"},
                                                                              {UsedBy::zfs, "zpool export"},
                                                                              {UsedBy::loop, "losetup --detach"}}};

std::string remedy(const Use& use) {
  if (!use.remedy.empty()) return use.remedy;
  const auto command = std::ranges::find(ending_commands, use.by, &std::pair<UsedBy, std::string_view>::first);
  if (command == ending_commands.end() || use.what.empty()) return "end that use";
  return fmt::format("{} {}", command->second, base::shell_quote(use.what));
}

std::string holder_text(const Use& use) {
  if (use.by == UsedBy::mount) return fmt::format("mounted at {}", use.what);
  if (use.by == UsedBy::swap) return fmt::format("swap on {}", use.what);
  if (use.by == UsedBy::qemu) return "held by " + use.what;
  return use.what.empty() ? fmt::format("held by {}", word(use.by))
                          : fmt::format("held by {} ({})", word(use.by), use.what);
}

std::string join_writers(const std::vector<Use>& uses, const std::function<std::string(const Use&)>& text) {
  std::vector<std::string> texts;
  for (const auto& use : uses)
    if (use.writable) texts.push_back(text(use));
  return base::join(texts, ", ");
}

}  // namespace

void heed(const Objections& objections, bool override, const std::function<void(std::string_view)>& warn) {
  for (const auto& [error, overridable, is_warning] : objections) {
    if (!is_warning && (!overridable || !override)) throw error;
    warn(is_warning ? fmt::format("{}; {}", error.message(), error.hint()) : error.message());
  }
}

namespace {

std::string way_back(const Machine& machine) {
  const auto& base = machine.definition.disks.front();
  const auto elsewhere = fmt::format("or say where it is now: hrvm set {} base=PATH", machine.name);
  if (machine.definition.disks.size() > 1)
    return "attach the disk again, or put the image back; of the first one, " + elsewhere;
  if (base.kind != BaseKind::disk) return fmt::format("put the {} back, {}", word(base.kind), elsewhere);
  const bool is_known = !base.wwn.empty() || !base.serial.empty();
  return is_known ? "attach the disk again: it is known by its serial number, not by its path"
                  : "attach the disk again, " + elsewhere;
}

}  // namespace

Objection base_missing(const Machine& machine, const std::string& reason, const std::string& path, Purpose purpose) {
  const auto& definition = machine.definition;
  const bool is_only = definition.disks.size() == 1;
  const std::string base_of = is_only ? "the base" : "a base";
  const auto missing_disk = (is_only ? definition.disks.front().path : reason) + " is not here";
  return {said(ErrorKind::not_found, words_for(purpose).missing, path, fmt::arg("machine", machine.name),
               fmt::arg("base_of", base_of), fmt::arg("missing_disk", missing_disk), fmt::arg("reasons", reason),
               fmt::arg("way_back", way_back(machine)))};
}

Objections objections(const Machine& machine, const BaseState& base, Purpose purpose) {
  const auto reasons = base::join(base.reasons, "; ");
  if (base.drift == Drift::missing)
    return {base_missing(machine, reasons, machine.definition.disks.front().path, purpose)};
  if (base.drift == Drift::changed) return {base_changed(machine, base, purpose)};
  if (!base.touched.empty()) return {base_touched(machine, base)};
  return {};
}

Objections objections(const std::string& path, const std::vector<Use>& uses, Purpose purpose) {
  const auto writer = std::ranges::find_if(uses, &Use::writable);
  if (writer == uses.end()) return {};
  const auto as_told = [](const Use& use) { return fmt::format("{} {}", word(use.by), use.what); };
  const auto first = writer_text(*writer), all = writers_text(uses), told = join_writers(uses, as_told);
  const auto way = way_out(uses);
  return {{said(ErrorKind::refused, words_for(purpose).in_use, path, fmt::arg("disk", path), fmt::arg("writer", first),
                fmt::arg("writers", all), fmt::arg("uses", told), fmt::arg("way_out", way)),
           true}};
}

Objections objections(const probe::Disk& disk, Purpose purpose) { return objections(disk.path, disk.in_use, purpose); }

std::string writers_text(const std::vector<Use>& uses) { return join_writers(uses, holder_text); }

std::string way_out(const std::vector<Use>& uses) {
  std::vector<std::string> remedies;
  for (const auto& use : std::views::reverse(uses)) {
    if (!use.writable) continue;
    if (use.by == UsedBy::mount && use.what == "/") return "start a rescue system, as this host runs from it";
    const auto next = remedy(use);
    if (std::ranges::find(remedies, next) == remedies.end()) remedies.push_back(next);
  }
  const auto all = base::join(remedies, ", then ");
  return remedies.size() == 1 && all.starts_with("umount ") ? all + ", or mount it read-only" : all;
}

Objections objections(const StorageState& storage, const Path& store) {
  if (storage.read_only)
    return {{Error(ErrorKind::permission, fmt::format("{} cannot be written: {} ({}) is mounted read-only",
                                                      store.string(), storage.mount_point, storage.filesystem))
                 .on(store)
                 .hint("boot in a throw-away layer that lies elsewhere: hrvm boot --ephemeral --scratch DIR MACHINE")}};
  if (!storage.low_space) return {};
  return {
      {Error(ErrorKind::refused, "the store has too little room: " + room_text(storage))
           .on(store)
           .hint("make room: hrvm log tells what is held for undo, hrvm undo --discard lets it go, hrvm move takes a "
                 "machine to another store; --force boots all the same, and a full store pauses the machine"),
       true}};
}

namespace {

// The image itself may be the only one there is: it is never to be written to.
std::string flattened(const std::string& image) {
  const auto original = base::shell_quote(image), copy = base::shell_quote(image + ".flat");
  return fmt::format("leave it as it is, and import what it shows: hrvm image convert {0} {1} && hrvm import {1}",
                     original, copy);
}

// The copy lies beside the image, where what backs it is found.
std::string renamed_backing(const std::string& image, const probe::ImageFile& backing) {
  const auto original = base::shell_quote(image), copy = base::shell_quote(image + ".copy");
  return fmt::format(
      "leave it as it is, and name the format in a copy: cp --reflink=auto {0} {1} && qemu-img rebase -u -b {2} -F {3} "
      "{1} "
      "&& hrvm import {1}",
      original, copy, base::shell_quote(backing.path), word(backing.format));
}

}  // namespace

std::optional<Error> image_obstacle(const probe::Disk& disk) {
  if (disk.container)
    return Error(ErrorKind::refused, fmt::format("{} is {}", disk.path, disk.container->what))
        .on(disk.path)
        .hint(disk.container->remedy);
  for (std::size_t i = 0; i < disk.files.size(); ++i) {
    const auto& file = disk.files[i];
    if (file.corrupt)
      return Error(ErrorKind::corrupt, file.path + " is marked as corrupt: QEMU found it broken")
          .on(file.path)
          .hint(flattened(disk.files.front().path));
    if (file.dirty)
      return Error(ErrorKind::refused, file.path + " was not closed by who wrote it last: its dirty bit is set")
          .on(file.path)
          .hint(flattened(disk.files.front().path));
    if (!file.format_is_named)
      return Error(ErrorKind::refused,
                   fmt::format("no header says which format {} has, and its first bytes alone are not to be trusted",
                               file.path))
          .on(file.path)
          .hint(renamed_backing(disk.files[i == 0 ? 0 : i - 1].path, file));
  }
  return std::nullopt;
}

Error running(std::string_view machine, std::string_view clause) {
  return Error(ErrorKind::busy, fmt::format("machine {} {}", machine, clause))
      .hint(fmt::format("stop it first: hrvm stop {}", machine));
}

std::optional<Error> held_by_tool(std::string_view machine, const Path& layer) {
  const auto holder = block::image_holder(layer);
  const auto runs_machines = [&](std::string_view name) { return holder.program.starts_with(name); };
  if (holder.pid == 0 || std::ranges::any_of(std::array{"qemu-system", "qemu-kvm", "virtiofsd", "hrvm"}, runs_machines))
    return std::nullopt;
  return Error(ErrorKind::busy, fmt::format("a layer of {} is open for writing in {}", machine, holder.text()))
      .on(layer)
      .hint(holder.remedy());
}

Error running(const Machine& machine, std::string_view clause) {
  return held_by_tool(machine.name, written_layer(machine).value_or(machine.active_layer()))
      .value_or(running(machine.name, clause));
}

void check_not_running(const Machine& machine, const State& state, bool ephemeral) {
  const auto written = ephemeral ? std::nullopt : written_layer(machine);
  if (written)
    throw held_by_tool(machine.name, *written).value_or(running(machine.name, "is running already").on(*written));
  for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk) {
    const auto layer = machine.layer_path(state.layer, disk);
    const auto use = block::image_use(layer);
    if (use == block::ImageUse::write)
      throw held_by_tool(machine.name, layer).value_or(running(machine.name, "is running already").on(layer));
    if (use == block::ImageUse::read && !ephemeral)
      throw Error(ErrorKind::busy,
                  fmt::format("somebody reads the active layer of {}: an ephemeral boot, or qemu-img", machine.name))
          .on(layer)
          .hint(fmt::format("wait for its end, or end it: hrvm stop {}", machine.name));
  }
}

void check_no_twin_runs(const sys::Host& host, const Store& store, const Machine& machine) {
  if (run_state(machine) == RunState::running) return;  // itself: a snapshot of it may run beside it
  const auto& uuid = machine.definition.uuid.text();
  const auto pid = sys::try_read_number(run_folder(host, machine.definition) / "pid");
  if (!pid) return;
  const auto command_line = sys::try_read_file(host.path(fmt::format("/proc/{}/cmdline", *pid)));
  if (!command_line || command_line->find(uuid) == std::string::npos) return;
  const auto copies = find_copies(store, machine.name);
  const auto hint =
      copies.empty() ? "end that process; a copy of a machine gets an identity of its own by hrvm doctor "
                       "MACHINE --fix"
                     : fmt::format("give the copy an identity of its own: hrvm doctor {} --fix", copies.front().name);
  throw Error(
      ErrorKind::busy,
      fmt::format("another machine with the UUID of {} runs (process {}): one of them is a copy", machine.name, *pid))
      .on(machine.folder)
      .hint(hint);
}

// A clone, or what it was made of, has the file as well: it is for that one that it is read, where nothing of this one
// runs in a throw-away layer.
static bool is_read_for_another(const Path& folder, const Path& layer) {
  Machine machine;
  machine.folder = folder;
  return std::filesystem::hard_link_count(layer) > 1 && throw_away_folders(machine, true).empty();
}

void check_unused(const Path& folder, std::string_view name) {
  for (const auto& file : sys::list_directory(folder / "layers")) {
    const auto use = block::image_use(folder / "layers" / file);
    if (use == block::ImageUse::write)
      throw held_by_tool(name, folder / "layers" / file)
          .value_or(running(name, "is running, and a running machine is not removed or renamed"));
    if (use == block::ImageUse::read && !is_read_for_another(folder, folder / "layers" / file))
      throw Error(ErrorKind::busy, fmt::format("somebody reads a layer of machine {}: {}", name, file))
          .on(folder / "layers" / file)
          .hint("end what uses it, a boot of a snapshot or qemu-img, and try again");
  }
}

}  // namespace hrvm::machine
