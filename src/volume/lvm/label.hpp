// What a physical volume says of itself, and the text of the metadata that is in force on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hrvm/block/block_device.hpp"

namespace hrvm::volume::lvm {

struct Label {
  std::string uuid;  // 32 characters, without dashes
  std::uint64_t device_bytes = 0;
  std::optional<std::string> metadata;  // none where the volume keeps no copy, or none is sound
  std::string trouble;                  // why a copy that should be there cannot be used
};

// nullopt where the device is no physical volume. Only what its checksum vouches for is taken.
std::optional<Label> read_label(block::BlockDevice& device);

}  // namespace hrvm::volume::lvm
