// The block devices of a host as sysfs has them: whole disks and their partitions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hrvm/sys/files.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::probe {

struct BlockNode {
  std::string name;     // the kernel's: "sda", "sda1", "dm-0"; '/' in a device's name is '!'
  std::string disk;     // the name of the whole disk: its own, unless it is a partition
  std::string path;     // "/dev/sda1", "/dev/mapper/mpatha"
  std::string numbers;  // "8:1"
  sys::Path sysfs;      // under Host::root

  bool is_partition() const { return name != disk; }
};

class BlockNodes {
 public:
  explicit BlockNodes(const sys::Host& host);

  const std::vector<BlockNode>& all() const { return nodes_; }
  // nullptr where there is none.
  const BlockNode* by_name(std::string_view name) const;
  const BlockNode* by_numbers(std::string_view numbers) const;
  // By any path of it under /dev: the node itself or a link to it.
  const BlockNode* by_path(const sys::Host& host, std::string_view path) const;
  // The disk itself and its partitions.
  std::vector<const BlockNode*> with_partitions(std::string_view disk) const;

 private:
  std::vector<BlockNode> nodes_;
};

}  // namespace hrvm::probe
