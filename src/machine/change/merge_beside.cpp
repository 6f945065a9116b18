#include "hrvm/machine/merge_beside.hpp"

#include <filesystem>

#include "hrvm/block/copy.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/image/merge.hpp"
#include "hrvm/machine/folder_layer.hpp"
#include "hrvm/sys/transfer.hpp"
#include "machine/change/merging.hpp"

namespace hrvm::machine {
namespace {

// A file of the child as it will be, not yet under its name.
struct Beside {
  Path file, child;
};

// What cannot be removed is garbage, which the next change removes.
void give_up(const Path& file) {
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
}

// Removes what did not come to its name.
class Besides {
 public:
  Besides() = default;
  Besides(const Besides&) = delete;
  Besides& operator=(const Besides&) = delete;
  ~Besides() {
    for (const auto& each : files_) give_up(each.file);
  }

  void add(Beside beside) { files_.push_back(std::move(beside)); }
  bool is_empty() const { return files_.empty(); }
  void take_names() {
    for (const auto& each : files_) sys::rename_durably(each.file, each.child);
    files_.clear();
  }

 private:
  std::vector<Beside> files_;
};

// An earlier merge that was not committed may have come as far as this disk.
bool lies_on(const Path& child, const Path& parent) {
  const auto backing = image::read_info(child, image::ImageFormat::qcow2).backing;
  return backing && backing->path == parent.filename();
}

void copy(const Path& from, const sys::Fd& to, const Path& path, const sys::ProgressCallback& progress) {
  const auto source = block::open_device(from);
  block::copy_to_file(*source, to.get(), path.string(), progress);
}

void write_merged(const Path& parent, const Beside& beside, const sys::ProgressCallback& progress) {
  const auto fd = sys::create_file(beside.file);
  // Of the child's clusters it is not said here how far they are: a layer is mostly small beside its disk.
  copy(beside.child, fd, beside.file, [&](std::uint64_t) { progress(0); });
  image::merge_parent_into_copy(parent, beside.file, progress);
  sys::finish_like(fd, sys::status(beside.child), beside.file);
}

}  // namespace

void merge_beside(const Machine& machine, const LayerMerge& merge, const std::string& id,
                  const sys::ProgressCallback& progress) {
  Besides besides;
  std::uint64_t done_before = 0;
  for (std::size_t disk = 0; disk < machine.definition.disks.size(); ++disk) {
    const auto parent = machine.layer_path(merge.parent, disk), child = machine.layer_path(merge.child, disk);
    if (!lies_on(child, parent)) continue;
    const Beside beside{machine.layer_path(id, disk), child};
    besides.add(beside);
    std::uint64_t here = 0;
    write_merged(parent, beside, [&](std::uint64_t done) { progress(done_before + (here = done)); });
    done_before += here;
  }
  if (besides.is_empty()) return;
  note_merging(machine, {merge.child});
  besides.take_names();
}

void merge_file_beside(const Path& parent, const Path& child, const Path& file, const sys::ProgressCallback& progress) {
  Besides besides;
  besides.add({file, child});
  write_merged(parent, {file, child}, progress);
  besides.take_names();
}

std::uint64_t bytes_of_merge_beside(const Machine& machine, const LayerMerge& merge) {
  return allocated_bytes(machine, merge.parent) + allocated_bytes(machine, merge.child);
}

}  // namespace hrvm::machine
