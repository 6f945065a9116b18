// A system that lies in a container which hrvm does not open (LUKS, ZFS), named by what its boot loader says.
#pragma once

#include <optional>

#include "boot_entry.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::probe {

// nullopt where the disk has no such container that the entry's root could be in. Adds a finding that says how it is
// known.
std::optional<System> hidden_system(const BootEntry& entry, Contents& contents);

}  // namespace hrvm::probe
