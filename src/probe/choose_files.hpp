// Which files of a disk are meant by the name of a volume.
#pragma once

#include <deque>
#include <span>

#include "hrvm/probe/open_files.hpp"
#include "probe/disk_places.hpp"
#include "probe/roots/system_trees.hpp"

namespace hrvm::probe {

// A disk as it was read.
struct OpenDisk {
  const Contents& contents;
  std::span<const BootPlace> places;
  SystemTrees& trees;
  const std::deque<SystemRoot>& roots;  // of systems that were put together
};

// Of the volumes those that bear a part of others are left out.
OpenDiskFiles all_files(const OpenDisk& disk, const DiskPlaces& places);

void use_chosen_files(const OpenDisk& disk, const std::string& volume, const FilesUser& use);

}  // namespace hrvm::probe
