// Volumes: block devices that are put together of others by what these bear themselves. Read natively, so that no
// module, tool or activation is needed, and nothing is written.
//
// Everything on the members is hostile: what cannot be is a Finding or the reason why a volume is not mapped.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/base/words.hpp"
#include "hrvm/block/block_device.hpp"

namespace hrvm::volume {

using base::from_word;
using base::word;

// What makes volumes of devices. btrfs does so by itself, and probe reports it in the same way; so it does of a
// filesystem without a partition table, which has the disk for itself.
enum class VolumeKind { lvm, md, zfs, btrfs, disk };
constexpr std::array<std::string_view, 5> words_of(VolumeKind) { return {"lvm", "md", "zfs", "btrfs", "disk"}; }

// A device that bears a part: a partition, or a whole disk.
struct Member {
  block::BlockDevice* device = nullptr;
  std::string name;  // "p3"
};

// What belongs together, by what its members say: a volume group, an array, a pool.
struct MemberSet {
  VolumeKind kind = VolumeKind::lvm;
  std::string uuid, name;            // the uuid as the members write it
  std::vector<std::string> members;  // the names of those that were given
  bool is_complete = true;
  std::vector<std::string> missing;  // as the others know them: "pv1, last seen as /dev/sdb1 (20 GiB)"
};

struct Volume {
  std::string set;   // its uuid
  std::string path;  // "pve/root"
  VolumeKind kind = VolumeKind::lvm;
  std::uint64_t size_bytes = 0;
  std::unique_ptr<block::BlockDevice> device;  // null where it cannot be read
  std::string because;                         // why not; empty for a pool, which is there for others
  std::string details;                         // "mirror of 2, last used by pve1": what people want to know of it
};

// The devices lead to each other and to the members: these must outlive it.
struct Assembly {
  std::vector<MemberSet> sets;
  std::vector<Volume> volumes;
  std::vector<base::Finding> findings;
  std::shared_ptr<void> shared;  // what the volumes' devices stand on
};

// LVM2: all volume groups that have a physical volume among the members, with their visible volumes. Linear, striped
// and mirrored ones (mirror, raid1: the first leg that is there) and thin volumes can be read; others are named.
Assembly assemble_lvm(const std::vector<Member>& members);

// Linux md of all versions: "md:NAME", or "md:UUID" where an array has no name. Linear, RAID0 and RAID1 arrays (one
// member that is current) can be read; others are named. Members that are missing or have missed changes are findings.
Assembly assemble_md(const std::vector<Member>& members);

// ZFS pools by their labels and uberblocks: one volume each, whose datasets are not read. A vdev that is not there, a
// pool that is destroyed and a spare or cache device are findings.
Assembly assemble_zfs(const std::vector<Member>& members);

// All of them by libblkid's word for their members, in the order in which they lie on each other: groups on arrays.
struct Assembler {
  std::string_view member_type;
  Assembly (*assemble)(const std::vector<Member>& members);
};
std::span<const Assembler> assemblers();

}  // namespace hrvm::volume
