// UEFI boot loaders that really are in an EFI system partition.
#pragma once

#include "hrvm/fs/file_system.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::probe {

// Loaders for 64-bit x86 under /EFI: the removable-media one first, then shims, then others.
std::vector<EfiLoader> find_efi_loaders(fs::FileSystem& esp, unsigned partition);

}  // namespace hrvm::probe
