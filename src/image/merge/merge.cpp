#include "hrvm/image/merge.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/byte_size.hpp"
#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/block/image_lock.hpp"
#include "hrvm/sys/files.hpp"
#include "image/merge/merge_images.hpp"
#include "image/qcow2/backing_path.hpp"

namespace hrvm::image {
namespace {

using base::Error;
using base::ErrorKind;

sys::Fd open_locked(const std::filesystem::path& path) {
  auto fd = sys::open_for_update(path);
  block::lock_image_exclusively(fd.get(), path);
  return fd;
}

bool same_backing(const std::optional<BackingReference>& a, const std::optional<BackingReference>& b) {
  if (!a || !b) return !a && !b;
  return a->path == b->path && a->format == b->format;
}

void check_is_parent(const std::filesystem::path& parent, const std::filesystem::path& child,
                     const ImageHeader& header) {
  if (header.backing && sys::is_same_file(resolved(*header.backing, child).path, parent)) return;
  throw Error(ErrorKind::usage, fmt::format("{} does not back {}", parent.string(), child.string())).on(child.string());
}

// What would make new refcounts or entries wrong.
void check_can_be_written(const ImageHeader& header, const std::string& child) {
  auto refuse = [&](std::string what, std::string remedy) {
    throw Error(ErrorKind::unsupported, fmt::format("{} {}, so nothing can be merged into it", child, what))
        .on(child)
        .hint(remedy + base::shell_quote(child));
  };
  if (header.version < 3) refuse("is of version 2", "run: qemu-img amend -o compat=1.1 ");
  if (header.snapshots != 0) refuse("holds internal snapshots", "delete them with: qemu-img snapshot -d NAME ");
  if (header.incompatible_features & (qcow2::dirty | qcow2::corrupt)) {
    refuse("was not closed properly", "run: qemu-img check -r all ");
  }
}

// `child_fd` is open for reading and writing.
void merge(const std::filesystem::path& parent, const std::filesystem::path& child, const sys::Fd& child_fd,
           const sys::ProgressCallback& progress) {
  auto file = block::open_device(child);
  auto header = read_header(*file);
  ParentView view(parent);
  std::optional<BackingReference> backing;
  if (view.backing()) backing = moved(*view.backing(), parent, child);
  if (same_backing(header.backing, backing)) return;  // an earlier merge came as far as the header
  check_is_parent(parent, child, header);
  check_can_be_written(header, child.string());
  DescriptorFile out(child_fd.get(), child.string());
  merge_images(view, *file, header, out, backing, progress);
}

}  // namespace

void merge_parent_into_child(const std::filesystem::path& parent, const std::filesystem::path& child,
                             const sys::ProgressCallback& progress) {
  const auto child_fd = open_locked(child);
  const auto parent_lock = open_locked(parent);
  merge(parent, child, child_fd, progress);
}

void merge_shared_parent(const std::filesystem::path& parent, const std::filesystem::path& child,
                         const sys::ProgressCallback& progress) {
  const auto child_fd = open_locked(child);
  const auto parent_lock = block::open_locked_for_reading(parent);
  merge(parent, child, child_fd, progress);
}

void merge_parent_into_copy(const std::filesystem::path& parent, const std::filesystem::path& child,
                            const sys::ProgressCallback& progress) {
  const auto child_fd = sys::open_for_update(child);
  const auto parent_lock = block::open_locked_for_reading(parent);
  merge(parent, child, child_fd, progress);
}

}  // namespace hrvm::image
