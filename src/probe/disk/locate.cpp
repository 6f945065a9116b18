// From what a person typed to the disk or image that was meant.
#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/block/devices.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/probe/disk.hpp"
#include "probe/disk/block_nodes.hpp"
#include "probe/disk/conversion.hpp"
#include "probe/disk/disk_facts.hpp"
#include "probe/disk/foreign_file.hpp"
#include "probe/disk/uses.hpp"
#include "probe/disk/vmdk.hpp"

namespace hrvm::probe {
namespace {

using base::Error, base::ErrorKind;

std::string whole_disk_path(const BlockNodes& nodes, const BlockNode& partition) {
  const BlockNode* disk = nodes.by_name(partition.disk);
  return disk ? disk->path : "/dev/" + partition.disk;
}

[[noreturn]] void refuse_partition(const BlockNodes& nodes, const BlockNode& partition) {
  const std::string disk = whole_disk_path(nodes, partition);
  throw Error(ErrorKind::refused, fmt::format("{} is a partition, and the boot loader is not in it", partition.path))
      .on(partition.path)
      .hint(fmt::format("name the whole disk: {}", disk));
}

// Names that somebody may have meant: disks, and their links by id.
std::vector<std::string> known_names(const sys::Host& host, const BlockNodes& nodes) {
  std::vector<std::string> names;
  for (const BlockNode& node : nodes.all())
    if (!node.is_partition() && is_ordinary_disk(nodes, node)) names.push_back(node.path);
  for (const std::string& name : sys::list_directory(host.path("/dev/disk/by-id")))
    names.push_back("/dev/disk/by-id/" + name);
  return names;
}

std::vector<std::string> neighbours(const std::string& path) {
  const sys::Path folder = sys::Path(path).parent_path();
  std::vector<std::string> names;
  for (const std::string& name : sys::list_directory(folder)) names.push_back((folder / name).string());
  return names;
}

[[noreturn]] void not_found(const sys::Host& host, const BlockNodes& nodes, const std::string& source,
                            const std::string& path) {
  auto meant = base::did_you_mean("/dev/" + source, known_names(host, nodes));
  if (!meant || source.find('/') != std::string::npos) {
    const bool device = path.starts_with("/dev/");
    meant = base::did_you_mean(path, device ? known_names(host, nodes) : neighbours(path));
  }
  throw Error(ErrorKind::not_found, fmt::format("there is no disk or image {}", source))
      .on(path)
      .hint(meant ? fmt::format("did you mean {}?", *meant) : "hrvm discover lists the disks that are attached");
}

void check_readable(const sys::Path& file, const std::string& path) {
  if (sys::is_readable(file)) return;
  throw Error(ErrorKind::permission, fmt::format("you may not read {}", path))
      .on(path)
      .hint("run hrvm as root, or as a user who may read it");
}

ImageFile image_file(const image::ImageInfo& info, bool format_is_named) {
  return {.path = info.path,
          .format = info.format,
          .is_device = sys::status(info.path).type == sys::FileType::block,
          .format_is_named = format_is_named,
          .dirty = info.dirty,
          .corrupt = info.corrupt};
}

// The image, then what backs it.
std::vector<ImageFile> image_files(const std::vector<image::ImageInfo>& chain) {
  std::vector<ImageFile> files;
  bool is_named = true;
  for (const auto& info : chain) {
    files.push_back(image_file(info, is_named));
    is_named = info.backing && !info.backing->format.empty();
  }
  return files;
}

void read_image(Disk& disk) {
  try {
    const auto chain = image::read_chain(disk.path, image::ImageFormat::qcow2);
    disk.size_bytes = chain.front().virtual_bytes;
    disk.files = image_files(chain);
  } catch (Error& error) {
    if (error.path() != disk.path) error.while_doing("reading what backs " + disk.path);
    throw;
  }
}

// Another hypervisor's image that is sound is a disk like any other.
void read_container(Disk& disk, block::BlockDevice& file) {
  try {
    disk.size_bytes = image::read_info(file, disk.container->format).virtual_bytes;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt && error.kind() != ErrorKind::unsupported) throw;
    disk.container->what += ", and is not read as it lies: " + error.message();
    if (error.kind() == ErrorKind::unsupported && disk.container->format == image::ImageFormat::vhdx)
      disk.container->remedy = close_vhdx(disk.path);
    return;
  }
  disk.format = disk_format(*disk.container->format);
  disk.container.reset();
}

// Of a text that describes a raw disk that disk is meant; it may not be such a text in turn.
enum class Descriptions { followed, left };

Disk image_facts(const std::string& path, Descriptions descriptions = Descriptions::followed) {
  check_readable(path, path);
  Disk disk;
  disk.path = disk.stable_path = path;
  disk.kind = DiskKind::image;
  disk.bus = "file";
  const auto file = block::open_device(path);
  disk.size_bytes = file->size();
  disk.container = find_container(*file);
  if (disk.container && descriptions == Descriptions::followed)
    if (const auto described = described_disk(*file); !described.empty())
      return image_facts(described, Descriptions::left);
  if (disk.container && disk.container->format) read_container(disk, *file);
  if (disk.container || disk.format != DiskFormat::raw) return disk;
  disk.looks_like = looks_like(*file);
  const image::ImageFormat format = image::detect_format(*file);
  disk.format = disk_format(format);
  if (format == image::ImageFormat::qcow2) read_image(disk);
  return disk;
}

// Its size is not its own: it shares the room of what it lies on.
Disk folder_facts(const std::string& path) {
  check_readable(path, path);
  Disk disk;
  disk.path = disk.stable_path = sys::canonical(path);
  disk.kind = DiskKind::directory;
  disk.bus = "virtiofs";
  disk.format = DiskFormat::folder;
  return disk;
}

Error unsuitable(const std::string& path) {
  return Error(ErrorKind::unsupported,
               fmt::format("{} is a pipe, a socket or a character device, not a disk, an image or a folder", path))
      .on(path);
}

}  // namespace

Disk locate_disk(const sys::Host& host, const std::string& source) {
  if (source.empty()) throw Error(ErrorKind::usage, "no disk is named").hint("hrvm discover lists the disks");
  const std::string path = sys::absolute(source).string();
  const BlockNodes nodes(host);
  if (const BlockNode* node = nodes.by_path(host, path)) {
    if (node->is_partition()) refuse_partition(nodes, *node);
    if (!host.is_recorded()) check_readable(host.path(node->path), node->path);
    Disk disk = disk_facts(host, nodes, *node);
    disk.in_use = uses_of(host, nodes, disk);
    return disk;
  }
  const auto type = sys::status(path.starts_with("/dev/") ? host.path(path) : sys::Path(path)).type;
  if (type == sys::FileType::missing) not_found(host, nodes, source, path);
  if (type != sys::FileType::regular && type != sys::FileType::directory) throw unsuitable(path);
  Disk disk = type == sys::FileType::directory ? folder_facts(path) : image_facts(path);
  disk.in_use = uses_of(host, nodes, disk);
  return disk;
}

}  // namespace hrvm::probe
