// What has to be known of a disk before it is written onto, beside what a Disk tells.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/block/target_device.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::probe {

struct TargetFacts {
  block::DeviceIdentity identity;
  bool is_read_only = false;
  std::string stable_name = {};                // its best name under /dev/disk that is there; empty for none
  std::string backing_file = {};               // of a loop device
  std::vector<std::string> lies_on = {};       // devices and files that its bytes lie in, and itself
  std::vector<Use> uses_of_backing_file = {};  // other than by this loop device
};

// Of a whole disk.
TargetFacts target_facts(const sys::Host& host, const Disk& disk);

// All devices and files that the bytes of a device, a partition or a file lie in, itself among them: follows
// partitions, device-mapper, md, loop devices and mounts down.
std::vector<std::string> all_below(const sys::Host& host, const std::string& path);

}  // namespace hrvm::probe
