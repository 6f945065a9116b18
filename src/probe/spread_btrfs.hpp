// btrfs that lie on several devices, each opened as the one filesystem that it is.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hrvm/base/finding.hpp"
#include "hrvm/block/block_device.hpp"
#include "hrvm/fs/file_system.hpp"
#include "hrvm/probe/signature.hpp"
#include "hrvm/probe/survey.hpp"
#include "hrvm/volume/volumes.hpp"

namespace hrvm::probe {

// Whether what lies on the device is a part of one.
bool is_spread(const Signature& signature, block::BlockDevice& device);

struct SpreadBtrfs {
  DiskSet set;
  Signature signature;
  std::uint64_t size_bytes = 0;
  std::string details;                    // "2 devices"
  std::unique_ptr<fs::FileSystem> files;  // null where it cannot be opened; leads to the members
  std::vector<base::Finding> findings;
};

// Those that have a device among the first `own` of the members: the rest lie on other disks.
std::vector<SpreadBtrfs> open_spread_btrfs(const std::vector<volume::Member>& members, std::size_t own);

}  // namespace hrvm::probe
