// What UEFI firmware boots: the variables Boot#### and BootOrder (UEFI 2.10, 3.1), read, and written for the loaders
// that really are in a disk's EFI system partitions. A system that was installed in the usual way has its loader where
// only such an entry leads to, and the variables of a new machine have none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hrvm/launch/variable_store.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::launch {

// A loader as a boot entry names it: by its partition's identity, on whatever bus its disk hangs.
struct BootEntry {
  std::string description;  // "debian", as the installer of the system calls it
  probe::TableKind table = probe::TableKind::gpt;
  std::uint32_t partition = 0;
  std::uint64_t start_sectors = 0, size_sectors = 0;  // in the disk's own sectors
  std::string partuuid;                               // as Partition::partuuid
  std::string path;                                   // "/EFI/debian/shimx64.efi"
  friend bool operator==(const BootEntry&, const BootEntry&) = default;
};

// For the loaders that firmware does not find by itself, those of the disk's own system first, then boot managers; at
// most 8. Pure.
std::vector<BootEntry> boot_entries(const probe::Contents& contents);
// They stand first in BootOrder, in this order; what was in it before follows. Error as of VariableStore::set,
// and then nothing has changed.
void add_boot_entries(VariableStore& variables, const std::vector<BootEntry>& entries);

struct BootOption {
  std::string name;                  // "Boot0000"
  std::string description;           // UTF-8, not to be trusted on a terminal
  std::string path;                  // its device path as text: "HD(1,GPT,…)/\EFI\debian\shimx64.efi"
  bool active = true;                // the firmware tries it
  std::optional<std::size_t> place;  // in BootOrder, from 0; null: not in it
};
// In the order in which they are tried, then the others by name. What is no load option is left out.
std::vector<BootOption> boot_options(const VariableStore& variables);

// Whether keys are enrolled, so that only what is signed boots.
bool has_secure_boot_keys(const VariableStore& variables);

}  // namespace hrvm::launch
