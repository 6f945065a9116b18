// BitLocker's header and metadata, which lie in the clear: enough to name a volume that is locked.
#pragma once

#include <optional>
#include <string>

#include "hrvm/block/block_device.hpp"

namespace hrvm::probe {

struct BitLockerVolume {
  std::string version;  // "1" of Windows Vista, "2" since Windows 7
  std::string uuid;     // by which Windows asks for its recovery key
};

// nullopt when there is none, or none that can be read.
std::optional<BitLockerVolume> read_bitlocker(block::BlockDevice& device);

}  // namespace hrvm::probe
