// What a machine's guest sees of its disks in a state, as devices to read.
#pragma once

#include <memory>

#include "hrvm/block/block_device.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/probe/disk.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::machine {

// `base` is where that disk's base is now. Error as of image::open_image and open_base.
std::unique_ptr<block::BlockDevice> open_state(const sys::Host& host, const Machine& machine, const State& state,
                                               std::size_t disk, const probe::Disk& base);

}  // namespace hrvm::machine
