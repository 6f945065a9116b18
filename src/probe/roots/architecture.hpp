// For which processors something is made: by the headers of programs, of EFI programs and of kernels, and by the types
// that the discoverable partitions specification gives to roots. A machine is x86-64, and runs what is x86 as well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::probe {

// Words as "x86-64", "x86", "arm64", "riscv64"; empty for what is none of the kind, or of a kind not known.
std::string_view architecture_of_elf(std::span<const std::byte> start);
std::string_view architecture_of_pe(std::uint16_t machine);
std::string_view architecture_of_partition(std::string_view type);
// An EFI program: of its PE header.
std::string_view architecture_of_efi(fs::FileSystem& files, const std::string& path);
// A kernel's image as it lies in /boot, also one that gzip packed.
std::string_view architecture_of_kernel(fs::FileSystem& files, const std::string& path);

// Of the system whose root this is: its init, else a shell, links followed, else its kernels in /boot.
std::string_view architecture_of_root(fs::FileSystem& root);
// Of the first kernel in a folder that says it.
std::string_view architecture_of_kernels(fs::FileSystem& files, std::string_view folder);

// Whether a machine cannot run it. What is not known is not foreign.
bool is_foreign(std::string_view architecture);

}  // namespace hrvm::probe
