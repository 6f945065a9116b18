#include "hrvm/machine/clone.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/copy.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/sys/transfer.hpp"
#include "machine/change/change_apply.hpp"
#include "machine/change/change_parts.hpp"
#include "machine/change/merging.hpp"
#include "machine/store/store_layout.hpp"

namespace hrvm::machine {
namespace {

using base::Error;
using base::ErrorKind;

void check_can_be_cloned(const Machine& machine) {
  check_has_states(machine);
  if (!machine.definition.is_on_folder()) return;
  const auto& folder = machine.definition.disks.front().path;
  throw Error(ErrorKind::unsupported, fmt::format("{} lies on a folder, and is not cloned", machine.name))
      .on(folder)
      .hint(fmt::format("make another machine of the folder: hrvm import {} NAME", base::shell_quote(folder)));
}

// Those that a state lies on, from `head` down; in their order.
std::vector<Snapshot> snapshots_below(const Definition& definition, const std::optional<std::string>& head) {
  std::vector<Snapshot> below;
  auto name = head;
  for (auto snapshot = definition.snapshots.rbegin(); name && snapshot != definition.snapshots.rend(); ++snapshot) {
    if (snapshot->name != *name) continue;
    below.push_back(*snapshot);
    name = snapshot->parent;
  }
  std::ranges::reverse(below);
  return below;
}

// It knows the network card by the address that it has where it was saved.
void forget_memory(Snapshot& snapshot) {
  if (!std::exchange(snapshot.memory, std::nullopt)) return;
  snapshot.consistency = Consistency::crash;
}

void keep_those_of(Definition& next, const Definition& from) {
  std::set<std::string> layers = {next.active.layer};
  for (const auto& snapshot : next.snapshots) layers.insert(snapshot.layer);
  next.fingerprints = from.fingerprints;
  next.frozen = from.frozen;
  std::erase_if(next.fingerprints, [&](const auto& each) { return !layers.contains(each.first); });
  std::erase_if(next.frozen, [&](const auto& each) { return !layers.contains(each.first); });
}

class Cloning {
 public:
  Cloning(const Machine& from, const Machine& to, const sys::ProgressCallback& progress)
      : from_(from), to_(to), progress_(progress) {}

  void copy(const Path& file) { copy(from_.folder / file, to_.folder / file); }
  void copy(const Path& from, const Path& to) {
    const auto original = sys::status(from);
    sys::make_directories(to.parent_path(), 0700, sys::Durability::later);
    const auto copy = sys::create_file(to);
    if (original.size_bytes > 0) copy_bytes(from, copy, to);
    sys::finish_like(copy, original, to);
    copied_ += original.allocated_bytes;
  }

  // What can be is the same file, whose name is durable with the commit.
  void share(const Path& file) {
    std::error_code failure;
    std::filesystem::create_hard_link(from_.folder / file, to_.folder / file, failure);
    if (failure) return copy(file);
    shared_ += sys::status(from_.folder / file).allocated_bytes;
  }

  std::uint64_t shared() const { return shared_; }
  std::uint64_t copied() const { return copied_; }

 private:
  void copy_bytes(const Path& from, const sys::Fd& copy, const Path& to) {
    const auto source = block::open_device(from);
    const auto before = done_;
    block::copy_to_file(*source, copy.get(), to.string(),
                        [&](std::uint64_t done) { progress_(done_ = before + done); });
  }

  const Machine& from_;
  const Machine& to_;
  const sys::ProgressCallback& progress_;
  std::uint64_t done_ = 0, shared_ = 0, copied_ = 0;
};

// A chip of its own, with what it remembers: a system that is bound to it starts.
void copy_tpm(Cloning& cloning, const Machine& from) {
  for (const auto& name : sys::list_directory(from.tpm_folder()))
    if (sys::link_status(from.tpm_folder() / name).type == sys::FileType::regular) cloning.copy(Path("tpm") / name);
}

void fill(Cloning& cloning, const Machine& from, const Machine& to, const Change& plan) {
  const auto& next = plan.definition;
  for (const auto& snapshot : next.snapshots)
    for (std::size_t disk = 0; disk < next.disks.size(); ++disk) cloning.share(next.layer_file(snapshot.layer, disk));
  if (plan.new_layers.empty())
    for (std::size_t disk = 0; disk < next.disks.size(); ++disk) cloning.copy(next.layer_file(next.active.layer, disk));
  for (const auto& layer : plan.new_layers) write_layer(to, layer);
  for (const auto& snapshot : next.snapshots)
    if (snapshot.nvram) cloning.copy("nvram/" + *snapshot.nvram + ".fd");
  for (const auto& copy : plan.nvram_copies) cloning.copy(from.nvram_path(copy.from), to.nvram_path(copy.to));
  if (next.active.nvram && plan.nvram_copies.empty()) cloning.copy("nvram/" + *next.active.nvram + ".fd");
  if (next.active.hardware.tpm) copy_tpm(cloning, from);
}

// A merge that is half done in one is so in the other.
void note_half_merged(const Machine& from, const Machine& to) {
  std::set<std::string> layers;
  const auto merging = merging_layers(from.folder);
  for (const auto& snapshot : to.definition.snapshots)
    if (std::ranges::find(merging, snapshot.layer) != merging.end()) layers.insert(snapshot.layer);
  if (!layers.empty()) note_merging(to, layers);
}

}  // namespace

Change plan_clone(const Machine& machine, const CloneRequest& request, const Drawn& drawn) {
  check_can_be_cloned(machine);
  const auto& from = machine.definition;
  const auto whole = request.snapshot ? fmt::format("{}@{}", machine.name, *request.snapshot) : machine.name;
  Change change{.what = fmt::format("clone {} {}", whole, request.name), .definition = from};
  auto& next = change.definition;
  next.uuid = request.uuid;
  next.created = drawn.now;
  next.autostart = next.auto_snapshot = false;
  next.folder_inode = 0;
  next.log = {{1, drawn.now, "clone of " + whole}};
  next.pending.reset();
  if (request.snapshot) {
    const auto& snapshot = snapshot_of(machine, *request.snapshot);
    next.active = state_on_new_layer(change, snapshot.name, snapshot.hardware, snapshot.nvram, drawn);
  }
  next.snapshots = snapshots_below(from, next.active.head);
  keep_those_of(next, from);
  next.active.hardware.mac = request.mac;
  for (auto& snapshot : next.snapshots) {
    snapshot.hardware.mac = request.mac;
    forget_memory(snapshot);
  }
  return change;
}

Clone clone_machine(const Store& store, const Machine& machine, const CloneRequest& request, const Change& plan,
                    const sys::ProgressCallback& progress) {
  give_back_reserved(machine);  // later it would be taken from the clone as well
  const auto lock = store.begin(request.name);
  const Machine to{request.name, store.folder() / request.name, 0, plan.definition};
  try {
    Cloning cloning(machine, to, progress);
    fill(cloning, machine, to, plan);
    note_half_merged(machine, to);
    return {store.commit(request.name, plan.definition), cloning.shared(), cloning.copied()};
  } catch (...) {
    sys::remove_all(to.folder);
    throw;
  }
}

}  // namespace hrvm::machine
