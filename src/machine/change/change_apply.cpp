#include <algorithm>
#include <filesystem>
#include <set>
#include <span>

#include "hrvm/base/error.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/image/merge.hpp"
#include "hrvm/machine/folder_layer.hpp"
#include "hrvm/machine/layers.hpp"
#include "hrvm/machine/merge_beside.hpp"
#include "machine/change/change_apply.hpp"
#include "machine/change/merge_note.hpp"
#include "machine/change/merging.hpp"

namespace hrvm::machine {
namespace {

constexpr std::size_t largest_nvram = 64 << 20;

void copy_nvram(const Machine& machine, const NvramCopy& copy) {
  sys::make_directories(machine.folder / "nvram");
  const auto text = sys::read_file(machine.nvram_path(copy.from), largest_nvram);
  const Path path = machine.nvram_path(copy.to);
  const auto fd = sys::create_file(path);
  sys::write_fully(fd.get(), std::as_bytes(std::span(text)), 0, path);
  sys::sync_file(fd.get(), path);
}

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// The file that this layer's own header names as the one below, where that one is about to go.
std::optional<std::string> discarded_parent(const Path& layer, const Change& change) {
  const auto backing = image::read_info(layer, image::ImageFormat::qcow2).backing;
  if (!backing) return std::nullopt;
  const std::string file = "layers/" + backing->path;
  if (!contains(change.discards, file)) return std::nullopt;
  return file;
}

bool may_be_written(const Path& file) { return (sys::status(file).mode & 0200) != 0; }

void set_mode(const Path& file, unsigned mode) {
  std::error_code failure;
  std::filesystem::permissions(file, std::filesystem::perms(mode), failure);
  if (failure) throw base::system_error(failure.value(), "change the mode of", file);
}

// Frozen layers are closed to all that would write to them; those of an older hrvm, of which it is not known what they
// were, stay as they are.
void close_frozen(const Machine& machine) {
  for (const auto& [layer, files] : machine.definition.frozen)
    for (std::size_t disk = 0; disk < files.size(); ++disk)
      if (const auto path = machine.layer_path(layer, disk); may_be_written(path)) set_mode(path, 0400);
}

// "layers/00000000000000a1-1.qcow2" → "00000000000000a1".
std::string layer_of(const std::string& file) {
  const auto stem = Path(file).stem().string();
  return stem.substr(0, stem.find('-'));
}

bool is_of_snapshot(const Definition& definition, const std::string& layer) {
  return std::ranges::find(definition.snapshots, layer, &Snapshot::layer) != definition.snapshots.end();
}

// With what the layers are that this change freezes, or has merged others into.
Definition with_frozen(const Machine& machine, const Change& change, const std::set<std::string>& merged) {
  Definition next = change.definition;
  std::erase_if(next.frozen, [&](const auto& each) { return !is_of_snapshot(next, each.first); });
  if (next.is_on_folder()) return next;
  for (const auto& snapshot : next.snapshots)
    if (merged.contains(snapshot.layer) || !is_of_snapshot(machine.definition, snapshot.layer))
      next.frozen[snapshot.layer] = frozen_files(machine, snapshot.layer);
  return next;
}

// A machine that was cloned has it as well.
bool is_shared(const Path& file) { return std::filesystem::hard_link_count(file) > 1; }

void merge_in_place(const Path& parent, const Path& layer, const sys::ProgressCallback& progress) {
  // A merge takes QEMU's locks of a writer on both.
  for (const auto& each : {layer, parent})
    if (!may_be_written(each) && !is_shared(each)) set_mode(each, 0600);
  const MergeNote note(layer);
  if (is_shared(parent))
    image::merge_shared_parent(parent, layer, progress);
  else
    image::merge_parent_into_child(parent, layer, progress);
  note.remove();
}

// Headers decide, not the plan: after a merge whose commit never came a header names a layer further down than the
// definition says, and that one must not be taken away from under it either.
// Gives the layers that were merged into.
std::set<std::string> merge_what_goes(const Store& store, const Machine& machine, const Change& change,
                                      const sys::ProgressCallback& progress) {
  std::uint64_t done_before = 0;
  std::set<std::string> merged;
  if (change.merge) merged.insert(change.merge->child);  // also where all is done that a merge does
  for (const auto& file : change.definition.files()) {
    const Path layer = machine.folder / file;
    const bool is_layer = file.starts_with("layers/") && sys::status(layer).type == sys::FileType::regular;
    if (!is_layer || !contains(machine.definition.files(), file)) continue;
    while (const auto parent = discarded_parent(layer, change)) {
      merged.insert(layer_of(file));
      note_merging(machine, merged);
      std::uint64_t here = 0;
      const auto say = [&](std::uint64_t done) { progress(done_before + (here = done)); };
      if (is_shared(layer))
        merge_file_beside(machine.folder / *parent, layer, machine.layer_path(store.new_id()), say);
      else
        merge_in_place(machine.folder / *parent, layer, say);
      done_before += here;
    }
  }
  return merged;
}

// Only the definition says what these lie on, and nothing that it names is changed before the commit.
void merge_folders(const Machine& machine, const Change& change) {
  if (const auto& merge = change.merge)
    merge_folder_layers(machine.layer_path(merge->parent), machine.layer_path(merge->child),
                        machine.layer_path(merge->merged));
}

// The base, or the layer beside it.
Path folder_below(const Machine& machine, const NewLayer& layer) {
  const Path below = layer.image.backing->path;
  return below.is_absolute() ? below : upper_of(machine.folder / "layers" / below);
}

// Removes what the machine's definition, as it is in the store now, does not name. What cannot be removed is garbage
// that the next change removes and doctor lists: that is no reason to call a change failed that is done. Nor is a layer
// that is not closed.
void clean_up(const Store& store, const Machine& machine) {
  try {
    const auto now = store.load(machine.name);
    store.collect_garbage(now);
    close_frozen(now);
  } catch (const base::Error&) {
  }
}

}  // namespace

void write_layer(const Machine& machine, const NewLayer& layer) {
  const Path path = machine.layer_path(layer.id, layer.disk);
  if (machine.definition.is_on_folder()) return make_folder_layer(path, folder_below(machine, layer));
  const auto fd = sys::create_file(path);
  image::create_qcow2(fd.get(), path.string(), layer.image);
  sys::sync_file(fd.get(), path);
}

Machine apply(const Store& store, const Machine& machine, const Change& change, const sys::ProgressCallback& progress) {
  give_back_reserved(machine);
  try {
    for (const auto& layer : change.new_layers) write_layer(machine, layer);
    for (const auto& copy : change.nvram_copies) copy_nvram(machine, copy);
    std::set<std::string> merged;
    if (machine.definition.is_on_folder())
      merge_folders(machine, change);
    else if (!change.discards.empty())
      merged = merge_what_goes(store, machine, change, progress);
    const Machine changed = store.commit(machine.name, with_frozen(machine, change, merged));
    forget_merging(changed, merged);
    clean_up(store, changed);
    return changed;
  } catch (const base::Error&) {
    give_back_reserved(machine);
    clean_up(store, machine);
    throw;
  }
}

}  // namespace hrvm::machine
