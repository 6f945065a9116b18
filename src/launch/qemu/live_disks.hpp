// The machine's own disks in a QEMU that runs, as it tells itself: each snapshot puts another node on top, so that what
// the command named holds for the start alone.
#pragma once

#include <string>
#include <vector>

#include "hrvm/launch/qmp.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::launch {

// What a disk's guest writes to.
struct LiveDisk {
  std::string node;    // its file is the node file_node_name() of this
  machine::Path file;  // as QEMU opened it
  bool direct = false;
};
// In their order. Error{external} where QEMU has no such disks, or others than hrvm makes.
std::vector<LiveDisk> live_disks(Qmp& qmp, std::size_t count);

// Of a layer that QEMU has open, at whatever place: all by this name, the one that it was told of last at the end.
std::vector<LiveDisk> live_layers(Qmp& qmp, const machine::Path& file);
// The last of them.
std::optional<LiveDisk> live_layer(Qmp& qmp, const machine::Path& file);

}  // namespace hrvm::launch
