// What QEMU is told of layers while it runs: of new ones before a snapshot, and of frozen ones after it.
#pragma once

#include "hrvm/launch/qmp.hpp"
#include "hrvm/machine/store.hpp"
#include "launch/qemu/block_graph.hpp"
#include "launch/qemu/live_disks.hpp"

namespace hrvm::launch {

// The pending layers of all disks, each to lie on the one that is written to now.
std::vector<AddedLayer> layers_to_add(const machine::Machine& machine, const std::vector<LiveDisk>& written);

// QEMU has the files of these layers open for writing from its time before; they get closed to that. What fails is left
// as it is: nothing writes to them.
void close_to_writes(Qmp& qmp, const machine::Machine& machine, const std::string& layer);

// QEMU lets go of layers that it was told of, and did not come to go on in.
void forget_layers(Qmp& qmp, const machine::Machine& machine, const std::string& layer);

}  // namespace hrvm::launch
