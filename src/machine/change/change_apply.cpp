#include <algorithm>
#include <span>

#include "hrvm/base/error.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/image/merge.hpp"
#include "hrvm/machine/folder_layer.hpp"
#include "machine/change/change_apply.hpp"
#include "machine/change/merge_note.hpp"

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

// Headers decide, not the plan: after a merge whose commit never came a header names a layer further down than the
// definition says, and that one must not be taken away from under it either.
void merge_what_goes(const Machine& machine, const Change& change, const sys::ProgressCallback& progress) {
  std::uint64_t merged = 0;
  for (const auto& file : change.definition.files()) {
    const Path layer = machine.folder / file;
    const bool is_layer = file.starts_with("layers/") && sys::status(layer).type == sys::FileType::regular;
    if (!is_layer || !contains(machine.definition.files(), file)) continue;
    while (const auto parent = discarded_parent(layer, change)) {
      const MergeNote note(layer);
      std::uint64_t here = 0;
      image::merge_parent_into_child(machine.folder / *parent, layer,
                                     [&](std::uint64_t done) { progress(merged + (here = done)); });
      merged += here;
      note.remove();
    }
  }
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
// that the next change removes and doctor lists: that is no reason to call a change failed that is done.
void clean_up(const Store& store, const Machine& machine) {
  try {
    store.collect_garbage(store.load(machine.name));
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
    if (machine.definition.is_on_folder())
      merge_folders(machine, change);
    else if (!change.discards.empty())
      merge_what_goes(machine, change, progress);
    const Machine changed = store.commit(machine.name, change.definition);
    clean_up(store, changed);
    return changed;
  } catch (const base::Error&) {
    give_back_reserved(machine);
    clean_up(store, machine);
    throw;
  }
}

}  // namespace hrvm::machine
