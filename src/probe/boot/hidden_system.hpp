// A system that lies in what hrvm does not open (LUKS, ZFS, a filesystem that it cannot read), named by what its boot
// loader says.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hrvm/probe/survey.hpp"
#include "probe/boot/boot_entry.hpp"

namespace hrvm::probe {

// What an entry says of its system: id and name by its title, and the kernel. Adds a finding that says so of `root`.
System system_by_entry(const BootEntry& entry, std::string root, Contents& contents);

// nullopt where the disk has no such container that the entry's root could be in, or several. Of several the one is
// taken that the command line names, else `crypttab`, the table in the entry's initramfs. Adds a finding that says how
// it is known.
std::optional<System> hidden_system(const BootEntry& entry, Contents& contents, std::string_view crypttab = {});

}  // namespace hrvm::probe
