// What a device of a ZFS pool says of its pool.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hrvm/block/block_device.hpp"
#include "volume/zfs/nvlist.hpp"

namespace hrvm::volume::zfs {

struct NewestUberblock {
  std::uint64_t txg = 0, version = 0;
  std::int64_t timestamp = 0;
};

struct Label {
  NvList config;
  std::optional<NewestUberblock> uberblock;  // none where none has a sound checksum
  unsigned damaged = 0;                      // labels that were looked at before this one, and are not sound
};

// The first sound one of the four; nullopt where there is none. Only what its checksum vouches for is taken.
std::optional<Label> read_label(block::BlockDevice& device);

}  // namespace hrvm::volume::zfs
