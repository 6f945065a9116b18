// Volumes: block devices that are put together of others by what these bear themselves. Read natively, so that no
// module, tool or activation is needed, and nothing is written.
//
// Everything on the members is hostile: what cannot be is a Finding or the reason why a volume is not mapped.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/block/block_device.hpp"

namespace hrvm::volume {

// A device that bears a part: a partition, or a whole disk.
struct Member {
  block::BlockDevice* device = nullptr;
  std::string name;  // "p3"
};

struct Volume {
  std::string path;  // "pve/root"
  std::string kind;  // "lvm"
  std::uint64_t size_bytes = 0;
  std::unique_ptr<block::BlockDevice> device;  // null where it cannot be read
  std::string because;                         // why not; empty for a pool, which is there for others
};

// The devices lead to each other and to the members: these must outlive it.
struct Assembly {
  std::vector<Volume> volumes;
  std::vector<base::Finding> findings;
  std::shared_ptr<void> shared;  // what the volumes' devices stand on
};

// LVM2: all volume groups that have a physical volume among the members, with their visible volumes. Linear, striped
// and mirrored ones (mirror, raid1: the first leg that is there) and thin volumes can be read; others are named.
Assembly assemble_lvm(const std::vector<Member>& members);

}  // namespace hrvm::volume
