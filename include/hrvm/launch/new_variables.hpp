// The UEFI variables that a boot uses: those that the machine has, or those that its first boot makes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hrvm/launch/firmware.hpp"
#include "hrvm/launch/listener.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/probe/disk.hpp"

namespace hrvm::launch {

// The state's own, where they will do: with keys enrolled firmware checks signatures, also one that is not made for it.
// Variables that only the firmware can read are left to it.
std::optional<machine::Path> fitting_variables(const machine::Machine& machine, const machine::State& state,
                                               machine::SecureBoot wanted);

// The bytes of new ones: the firmware's template, with entries for the loaders that are on the base now. Where those
// cannot be found or written, it is reported, and they are the template. Error{io} and the like when that cannot be
// read.
std::string new_variables(const sys::Host& host, const Listener& listener, const UefiFirmware& firmware,
                          const probe::Disk& base);

// The id of those that the machine's next generation would be the first to name: known before they are made, so that a
// plan which is only shown names the file that the boot after it makes.
std::string id_of_next_variables(const machine::Machine& machine);

// Writes them as `id`, and commits a generation that names them. The caller holds the machine's lock.
machine::Machine give_variables(const machine::Store& store, const machine::Machine& machine, const std::string& id,
                                std::string_view variables);

}  // namespace hrvm::launch
