// The files that a qcow2 base is read from: evidence that one of them was written, whatever the guest's view shows of
// it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hrvm/block/block_device.hpp"
#include "hrvm/machine/definition.hpp"
#include "hrvm/probe/disk.hpp"

namespace hrvm::machine {

struct BaseFile {
  std::unique_ptr<block::BlockDevice> device;
  image::ImageFormat format;
  std::string state;  // its size, and when it was written last
};

// None of a base without a format, whose bytes are what the guest sees. Devices in a chain are left out for the same
// reason.
std::vector<BaseFile> open_base_files(const probe::Disk& base);

// "/images/web.qcow2: header and tables". Only reads descriptors that are open.
Mark file_mark(const BaseFile& file);

}  // namespace hrvm::machine
