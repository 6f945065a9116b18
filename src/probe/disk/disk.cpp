#include "hrvm/probe/disk.hpp"

#include "probe/disk/block_nodes.hpp"
#include "probe/disk/disk_facts.hpp"
#include "probe/disk/uses.hpp"

namespace hrvm::probe {

std::vector<Disk> attached_disks(const sys::Host& host, bool all) {
  const BlockNodes nodes(host);
  std::vector<Disk> disks;
  for (const BlockNode& node : nodes.all()) {
    if (node.is_partition() || !(all || is_ordinary_disk(nodes, node))) continue;
    Disk disk = disk_facts(host, nodes, node);
    if (disk.size_bytes == 0) continue;  // a card reader without a card, a loop device that is not bound
    disk.in_use = uses_of(host, nodes, disk);
    disks.push_back(std::move(disk));
  }
  return disks;
}

}  // namespace hrvm::probe
