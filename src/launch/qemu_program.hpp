// Which ways of I/O the QEMU of this host was built with.
#pragma once

#include <filesystem>
#include <string>

#include "hrvm/launch/qemu.hpp"

namespace hrvm::launch {

struct QemuAbilities {
  bool io_uring = false, native = false;  // values of a block device's "aio"
};

// QEMU is asked once, some 30 ms a question, and the answer kept in `cache_folder` for as long as the program is the
// same file.
QemuAbilities qemu_abilities(const sys::Host& host, const std::string& qemu, const std::filesystem::path& cache_folder);

}  // namespace hrvm::launch
