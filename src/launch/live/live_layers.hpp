// What QEMU is told of layers while it runs: of new ones before a snapshot, of frozen ones after it, and of one that
// was merged into another.
#pragma once

#include "hrvm/launch/qmp.hpp"
#include "hrvm/machine/change.hpp"
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

// QEMU reads the child's files as they are by now, without the parent's, which it lets go of; `id` is drawn for the
// nodes that it gets for them. The guest's reads and writes wait for the moment in which it changes over.
// Error{external} where QEMU refuses: it goes on with the files that it has.
void read_merged(Qmp& qmp, const machine::Machine& machine, const machine::LayerMerge& merge, const std::string& id);

}  // namespace hrvm::launch
