// The files of a disk for who wants to read some of them: those of the system on it, put together as its start mounts
// them, or those of one volume.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/block/block_device.hpp"
#include "hrvm/fs/file_system.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::probe {

struct OpenFiles {
  fs::FileSystem& files;
  std::string volume;               // what its root lies on: "p3", "p3:@rootfs", "pve/root"
  std::vector<SystemMount> mounts;  // what else is in it
};
using FilesUser = std::function<void(const OpenFiles&)>;

// Calls `use` while the disk is open. `volume` is a name inside of a disk; empty: of the system that would start, else
// the only filesystem that there is. Error{not_found} where there is none of that name, Error{usage} where one has to
// be named, both with the names that there are; Error{unsupported} for one that hrvm does not read. For a confined
// child: all that it meets is hostile.
void with_files(block::BlockDevice& disk, const std::vector<block::BlockDevice*>& companions, const std::string& volume,
                const FilesUser& use);

// A filesystem on a disk, or what lies in its place.
struct OpenVolume {
  std::string name;  // "p3", "pve/root", "disk"
  std::string type;  // libblkid's word; empty where nothing is known in it
  std::string uuid;
  std::vector<block::BlockDevice*> devices;  // none where they cannot be read
  fs::FileSystem* files = nullptr;           // of those that hrvm reads
};

struct OpenDiskFiles {
  std::vector<OpenVolume> volumes;  // in the order of the disk; none that is made of others here
  std::optional<OpenFiles> system;  // of the system that would start
};

// As with_files, with all that there is on the disk.
void with_all_files(block::BlockDevice& disk, const std::vector<block::BlockDevice*>& companions,
                    const std::function<void(const OpenDiskFiles&)>& use);

}  // namespace hrvm::probe
