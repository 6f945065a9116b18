// UEFI boot loaders that really are in a FAT. Firmware looks into each, whatever the type of its partition says.
#pragma once

#include "hrvm/fs/file_system.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::probe {

// One that a machine's firmware does not start: of another processor, or for firmware of 32 bits.
struct OtherLoader {
  unsigned partition = 0;
  std::string path;
  std::string architecture;  // "x86", "arm64"
};

struct EfiLoaders {
  std::vector<EfiLoader> loaders;  // for 64-bit x86: the removable-media one first, then shims, then others
  std::vector<OtherLoader> others;
};

// Boot loaders under /EFI, by their names and by the processor that their headers name.
EfiLoaders find_efi_loaders(fs::FileSystem& files, unsigned partition);

}  // namespace hrvm::probe
