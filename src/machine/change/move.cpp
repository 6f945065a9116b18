#include "hrvm/machine/move.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/copy.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/machine/neighbours.hpp"
#include "hrvm/sys/transfer.hpp"
#include "machine/store/store_layout.hpp"

namespace hrvm::machine {

namespace {

using base::Error;
using base::ErrorKind;
using sys::FileType;

// What a machine has besides the files that its definition names.
constexpr std::string_view further_folders[] = {"tpm", "consoles", "hashing"};
constexpr std::string_view further_files[] = {"libvirt.json", "merging", "bisect.json"};

// Below the machine's folder; all of them regular files.
std::vector<Path> files_of(const Machine& machine) {
  std::vector<Path> files;
  const auto add = [&](const Path& file) {
    if (sys::link_status(machine.folder / file).type == FileType::regular) files.push_back(file);
  };
  for (const auto& file : machine.definition.files()) files.emplace_back(file);
  for (const auto folder : further_folders)
    for (const auto& name : sys::list_directory(machine.folder / folder)) add(Path(folder) / name);
  for (const auto file : further_files) add(file);
  return files;
}

class Copying {
 public:
  Copying(Path from, Path to, const sys::ProgressCallback& progress)
      : from_(std::move(from)), to_(std::move(to)), progress_(progress) {}

  void copy(const Path& file) {
    const auto original = sys::status(from_ / file);
    sys::make_directories((to_ / file).parent_path(), 0700, sys::Durability::later);
    const auto copy = sys::create_file(to_ / file);
    if (original.size_bytes > 0) copy_bytes(file, copy);
    sys::finish_like(copy, original, to_ / file);
    sys::sync_directory((to_ / file).parent_path());
    done_ += original.size_bytes;
  }

 private:
  void copy_bytes(const Path& file, const sys::Fd& copy) {
    const auto source = block::open_device(from_ / file);
    block::copy_to_file(*source, copy.get(), (to_ / file).string(),
                        [&](std::uint64_t done) { progress_(done_ + done); });
  }

  Path from_, to_;
  const sys::ProgressCallback& progress_;
  std::uint64_t done_ = 0;
};

// Committed there when it returns, and still here.
Machine copy_machine(const Machine& machine, const Store& to, const sys::ProgressCallback& progress) {
  if (machine.definition.is_on_folder())
    throw Error(ErrorKind::unsupported,
                fmt::format("{} lies on a folder: it is moved within its filesystem alone", machine.name))
        .on(to.folder())
        .hint("name a store on the filesystem where it is, or import the folder anew there");
  const auto lock = to.begin(machine.name);
  const auto folder = to.folder() / machine.name;
  try {
    Copying copying(machine.folder, folder, progress);
    for (const auto& file : files_of(machine)) copying.copy(file);
    auto definition = machine.definition;
    definition.folder_inode = 0;  // its own
    return to.commit(machine.name, definition);
  } catch (...) {
    sys::remove_all(folder);
    throw;
  }
}

// Of a move that was cut off before the machine went from here, and nobody has used either since.
bool is_whole_copy(const Machine& machine, const Machine& there) {
  auto definition = there.definition;
  definition.folder_inode = machine.definition.folder_inode;
  const auto is_alike = [&](const Path& file) {
    const auto here = sys::link_status(machine.folder / file), copy = sys::link_status(there.folder / file);
    return here.size_bytes == copy.size_bytes && here.modified == copy.modified;
  };
  return to_json(definition) == to_json(machine.definition) && std::ranges::all_of(files_of(machine), is_alike);
}

void check_name(const Machine& machine, const Store& to) {
  if (!to.contains(machine.name)) return;
  const auto there = to.load(machine.name);
  if (is_whole_copy(machine, there)) return;
  const auto here = base::shell_quote(machine.folder.parent_path().string());
  const auto hint =
      there.definition.uuid != machine.definition.uuid
          ? fmt::format("rename one of them: hrvm rename {} NEW", machine.name)
          : fmt::format(
                "it was this one, and one of the two was used since: remove the other, with --store {} or --store {}",
                base::shell_quote(to.folder().string()), here);
  throw Error(ErrorKind::exists, fmt::format("there is a machine named {} already", machine.name))
      .on(there.folder)
      .hint(hint);
}

void check_base_is_elsewhere(const Machine& machine, const StorageState& storage) {
  for (const auto& disk : machine.definition.disks)
    if (std::ranges::find(storage.disks, disk.path) != storage.disks.end())
      throw Error(ErrorKind::refused,
                  fmt::format("that store lies on {} itself (mounted at {}): each write of the machine would change "
                              "its base",
                              disk.path, storage.mount_point))
          .on(disk.path)
          .hint("name a store on another disk");
}

}  // namespace

std::uint64_t bytes_to_move(const Machine& machine) {
  std::uint64_t bytes = 0;
  for (const auto& file : files_of(machine)) bytes += sys::link_status(machine.folder / file).size_bytes;
  return bytes;
}

void check_move(const sys::Host& host, const Machine& machine, const Store& to, const MoveRequest& request) {
  const auto here = machine.folder.parent_path();
  if (sys::is_same_file(here, to.folder()))
    throw Error(ErrorKind::usage, fmt::format("{} lies in {} already", machine.name, here.string()))
        .hint("name another folder; hrvm rename gives it another name here");
  check_store_place(to.folder());
  check_name(machine, to);
  const auto storage = examine_storage(host, to.folder());
  if (storage.read_only)
    throw Error(ErrorKind::permission,
                fmt::format("{} ({}) is mounted read-only", storage.mount_point, storage.filesystem))
        .on(to.folder())
        .hint("mount it for writing, or name a store elsewhere");
  check_base_is_elsewhere(machine, storage);
  if (storage.volatile_storage && !request.allow_volatile)
    throw Error(ErrorKind::refused, "that store would not outlive this boot: " + storage.volatile_reason)
        .on(to.folder())
        .hint("--allow-volatile moves it there all the same");
  std::uint64_t needed = 0;
  for (const auto& file : files_of(machine)) needed += sys::link_status(machine.folder / file).allocated_bytes;
  const auto kept = room_to_keep({storage.total_bytes, storage.used_bytes, storage.available_bytes});
  const bool copies = sys::status(storage.mount_point).device != sys::status(machine.folder).device;
  if (copies && storage.available_bytes < needed + kept)
    throw Error(ErrorKind::refused, fmt::format("{} takes {}, and there is too little room: {}", machine.name,
                                                base::format_bytes(needed), room_text(storage)))
        .on(to.folder())
        .hint("make room, or name a store elsewhere");
}

Machine move_machine(const Store& from, const Machine& machine, const Store& to,
                     const sys::ProgressCallback& progress) {
  sys::make_directories(to.folder());
  if (to.contains(machine.name)) {  // as check_move() allows
    from.remove(machine.name);
    return to.load(machine.name);
  }
  if (sys::try_rename_to_free_name(machine.folder, to.folder() / machine.name)) return to.load(machine.name);
  auto moved = copy_machine(machine, to, progress);
  from.remove(machine.name);
  return moved;
}

}  // namespace hrvm::machine
