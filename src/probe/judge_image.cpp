#include "probe/judge_image.hpp"

#include <fmt/core.h>

#include "hrvm/base/text.hpp"
#include "hrvm/sys/files.hpp"
#include "probe/disk/conversion.hpp"
#include "probe/disk/vmdk.hpp"

namespace hrvm::probe {
namespace {

using base::Severity;

constexpr std::uint64_t sector_bytes = 512;

void add(Contents& contents, std::string id, Severity severity, const Disk& disk, std::string message,
         std::string remedy) {
  contents.findings.push_back({std::move(id), severity, disk.path, std::move(message), std::move(remedy)});
}

// The guest would see the last sector cut off, or not at all.
void tell_odd_size(const Disk& disk, Contents& contents) {
  const auto copy = free_name(disk.path, ".raw"), quoted = base::shell_quote(copy);
  add(contents, "image-odd-size", Severity::error, disk,
      fmt::format("its size of {} bytes is no multiple of {}, as a disk's is: it was not copied whole, or is no disk",
                  disk.size_bytes, sector_bytes),
      fmt::format("copy the disk once more; where that cannot be, fill up a copy of the image: "
                  "cp --reflink=auto {0} {1} && truncate -s %{2} {1} && hrvm import {1}",
                  base::shell_quote(disk.path), quoted, sector_bytes));
}

bool is_there(const std::string& path) { return sys::status(path).type == sys::FileType::regular; }

void tell_flat(const Disk& disk, Contents& contents) {
  const auto descriptor = descriptor_of_flat(disk.path);
  if (descriptor.empty() || !is_there(descriptor)) return;
  const auto snapshot = descriptor.substr(0, descriptor.rfind('.')) + "-000001.vmdk";
  add(contents, "vmdk-flat", Severity::note, disk,
      fmt::format("it is the raw disk that {} describes, and is taken as it lies", descriptor),
      is_there(snapshot) ? fmt::format("what {} and later snapshots changed is not in it: hrvm discover of the newest "
                                       "one tells the line that converts that",
                                       snapshot)
                         : std::string());
}

}  // namespace

void judge_image(const Disk& disk, Contents& contents) {
  if (disk.kind != DiskKind::image) return;
  if (disk.container)
    return add(contents, "foreign-container", Severity::error, disk, "it is " + disk.container->what,
               disk.container->remedy);
  if (disk.format != DiskFormat::raw || disk.size_bytes < sector_bytes) return;
  if (contents.is_blank() && !disk.looks_like.empty())
    return add(contents, "not-a-disk", Severity::error, disk, fmt::format("it is {}, not a disk", disk.looks_like),
               "name a whole disk, or an image of one");
  if (disk.size_bytes % sector_bytes != 0) tell_odd_size(disk, contents);
  tell_flat(disk, contents);
}

}  // namespace hrvm::probe
