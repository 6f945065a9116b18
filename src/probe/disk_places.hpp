// The places of a disk, opened and looked into: what fills it, its partitions, and the volumes that lie on these, also
// with the help of other disks. They stay open for as long as this lives.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/block/block_device.hpp"
#include "hrvm/probe/survey.hpp"
#include "hrvm/volume/volumes.hpp"
#include "probe/boot/boot_menus.hpp"
#include "probe/place.hpp"

namespace hrvm::probe {

class DiskPlaces {
 public:
  // Is called of a volume in which nothing is known: it may be a guest's disk.
  using GuestReader = std::function<void(const volume::Volume& volume)>;
  // What is read goes into `contents`, which must outlive this, as the disk must.
  DiskPlaces(block::BlockDevice& disk, Contents& contents, GuestReader read_guest)
      : disk_(disk), contents_(contents), read_guest_(std::move(read_guest)) {}

  // Before read(): another disk that bears members of what lies on this one.
  void add_companion(block::BlockDevice& disk);
  // Once: the table, partitions, volumes, sets and the systems in each of them by itself.
  void read();

  const PartitionTable& table() const { return table_; }
  // In the order in which they were read; none of guests' disks.
  const std::deque<Place>& all() const { return places_; }
  // Those whose files can be read.
  std::vector<BootPlace> boot_places() const;

 private:
  struct Companion {
    volume::Member member;
    std::string type;
  };

  Place& add_place(std::string name, block::BlockDevice* device);
  void read_whole_disk();
  void add_volume(Volume volume, const Place& place);
  void read_partitions();
  void look_into_partition(SurveyedPartition& surveyed);
  // Stays open until the disk is read: volumes may lie on it.
  block::BlockDevice& open(block::BlockDevice& disk, const Partition& partition, std::uint32_t sector_bytes);
  void add_companion_member(block::BlockDevice& device, const Partition& partition, std::string name);
  void read_volumes();
  // Not of sets that lie on companions alone.
  bool is_of_this_disk(const volume::Assembly& assembly, const volume::Volume& volume) const;
  // What was assembled before may bear members itself.
  std::vector<volume::Member> members_of_type(std::string_view type) const;
  // A mirror whose metadata lie at the end of its members is, for a firmware, a FAT on each of them.
  void let_firmware_see(Place& place, const volume::Assembly& assembly, const volume::Volume& volume) const;
  void read_volume(const volume::Assembly& assembly, const volume::Volume& volume);
  void read_spread_btrfs();
  void take(const Place& place);

  block::BlockDevice& disk_;
  Contents& contents_;
  GuestReader read_guest_;
  PartitionTable table_;
  std::vector<Companion> companions_;
  std::vector<std::unique_ptr<block::BlockDevice>> devices_;
  std::deque<volume::Assembly> assemblies_;
  std::deque<Place> places_;  // on those
  std::size_t volumes_read_ = 0;
};

}  // namespace hrvm::probe
