// Disk: what the host knows of a disk or an image file before a byte of it is read.
//
// Attached disks come from /sys and /run/udev/data under Host::root; libudev (loaded when it is there) adds properties
// when the root is "/". Kinds that are no disks a system would be installed on (loop, zram, ram, optical, md, dm other
// than multipath) are listed only with `all`.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/words.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/image/disk_image.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::probe {

using base::from_word;
using base::word;

enum class DiskKind { disk, image, directory };
constexpr std::array<std::string_view, 3> words_of(DiskKind) { return {"disk", "image", "folder"}; }

// Of a disk raw, of an image what it is; a folder has no blocks that could have one.
enum class DiskFormat { raw, qcow2, folder, vdi, vpc, vhdx, vmdk };
constexpr std::array<std::string_view, 7> words_of(DiskFormat) {
  return {"raw", "qcow2", "folder", "vdi", "vpc", "vhdx", "vmdk"};
}
constexpr DiskFormat disk_format(image::ImageFormat format) {
  return from_word<DiskFormat>(word(format)).value_or(DiskFormat::raw);
}
// What a disk's file is read as; of a folder raw.
constexpr image::ImageFormat image_format(DiskFormat format) {
  return from_word<image::ImageFormat>(word(format)).value_or(image::ImageFormat::raw);
}

enum class UsedBy { unknown, mount, swap, dm, md, zfs, loop, qemu };
constexpr std::array<std::string_view, 8> words_of(UsedBy) {
  return {"unknown", "mount", "swap", "dm", "md", "zfs", "loop", "qemu"};
}

struct Use {
  UsedBy by = UsedBy::unknown;
  std::string what;  // mount point, holder's name, …
  bool writable = true;
  std::string remedy = {};  // what ends it, where its kind does not say
};

// One of the files that a qcow2 image is read from.
struct ImageFile {
  std::string path;  // absolute
  image::ImageFormat format = image::ImageFormat::raw;
  bool is_device = false;       // a block special file
  bool format_is_named = true;  // by the header that names the file; otherwise guessed from its first bytes
  bool dirty = false;           // it was not closed: its refcounts may lag behind
  bool corrupt = false;         // QEMU found it broken
};

// A file that is no disk as its bytes lie.
struct ForeignFile {
  std::string what;                               // "a VDI disk image (VirtualBox)"
  std::string remedy;                             // a sentence with the line that makes a disk of it
  std::optional<image::ImageFormat> format = {};  // where we read it, if it is sound
};

struct Disk {
  std::string path;  // "/dev/sda", or the image file's or folder's absolute path
  std::string
      stable_path;  // /dev/disk/by-id/… (wwn- last, as people read ata- and nvme- better); the path itself for images
  DiskKind kind = DiskKind::disk;
  std::string bus;                 // sata nvme usb virtio scsi mmc loop file …
  std::string model, serial, wwn;  // empty where unknown
  std::uint64_t size_bytes = 0;
  block::SectorSizes sectors;
  bool removable = false;
  bool rotational = false;
  DiskFormat format = DiskFormat::raw;
  std::vector<ImageFile> files;          // of a qcow2 image: itself, then what backs it
  std::optional<ForeignFile> container;  // of an image file: a disk may be in it, or be a part of it; never read as one
  std::string looks_like;                // "a PNG picture": what its first bytes say where nothing else is found on it
  std::vector<Use> in_use;
};

std::vector<Disk> attached_disks(const sys::Host& host, bool all);

// What a person named: a whole disk (any of its names), an image file, or a folder. Error:
//   refused      a partition, with its whole disk in the hint (the boot loader is not in a partition)
//   not_found    nothing there; the hint names what was probably meant
//   unsupported  a FIFO, …, or an image of a kind that is not read;  permission  it cannot be read
// What a qcow2 image lies on is looked for at once, with the same errors.
Disk locate_disk(const sys::Host& host, const std::string& source);

// Who uses the device or file now: mounts, swap, holders (dm, md, bcache), loop devices, an exclusive open by somebody
// (ZFS), QEMU's lock on an image file. Partitions count as their disk, and what backs an image as the image.
std::vector<Use> uses_of(const sys::Host& host, const Disk& disk);

// The whole disks under a filesystem: follows partitions, device-mapper, md and loop devices down (a loop device is
// one, and so are its backing file and the disks under that). Paths as in Disk::path. Used to refuse a store on the
// very disk it would image.
std::vector<std::string> disks_under(const sys::Host& host, const std::string& absolute_path);

}  // namespace hrvm::probe
