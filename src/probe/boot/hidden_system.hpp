// A system that lies in a container or a filesystem which hrvm does not look into (LUKS, ZFS, F2FS), named by what its
// boot loader says.
#pragma once

#include <optional>
#include <string_view>

#include "hrvm/probe/survey.hpp"
#include "probe/boot/boot_entry.hpp"

namespace hrvm::probe {

// nullopt where the disk has no such place that the entry's root could be in, or several. Of several the one is
// taken that the command line names, else `crypttab`, the table in the entry's initramfs. Adds a finding that says how
// it is known.
std::optional<System> hidden_system(const BootEntry& entry, Contents& contents, std::string_view crypttab = {});

}  // namespace hrvm::probe
