// Changes of a machine whose guest may run. QEMU reads the layers that its guest's lies on: one of these that is merged
// into another is written anew beside (merge_beside.hpp), and QEMU changes over to that.
//
// Not by block-stream: with it QEMU 7.2 can end the guest on layers such as ours.
#pragma once

#include <functional>
#include <string_view>

#include "hrvm/machine/change.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::launch {

// Whether QEMU, as hrvm started it, runs the machine. Error{busy} for what runs otherwise, where layers cannot be taken
// out: a machine on a folder, one that libvirt runs.
bool runs_in_own_qemu(const sys::Host& host, const machine::Machine& machine);

// Carries out a change of a machine that may run so, for who holds its lock. Error{refused} where there is no room for
// a merge, Error{busy} where its QEMU does not answer. What that does not let go of is told by `note`: it takes space
// until QEMU ends.
machine::Machine apply_live(const sys::Host& host, const machine::Store& store, const machine::Machine& machine,
                            const machine::Change& change, const sys::ProgressCallback& progress,
                            const std::function<void(std::string_view)>& note);

}  // namespace hrvm::launch
