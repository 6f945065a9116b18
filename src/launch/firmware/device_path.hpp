// EFI device paths (UEFI 2.10, chapter 10), as far as boot entries need them.
#pragma once

#include <span>
#include <string>

#include "hrvm/launch/boot_options.hpp"

namespace hrvm::launch {

// HD(…)/File(…), which firmware completes by the disk that bears such a partition (3.1.2, short-form).
std::string device_path(const BootEntry& entry);
// As firmware shells write it; nodes that are not known as "Path(TYPE,SUBTYPE)". What is damaged ends it with "…".
std::string device_path_text(std::span<const std::byte> path);

}  // namespace hrvm::launch
