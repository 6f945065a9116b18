// Archives of tar (POSIX.1-2001, pax; GNU's sizes beyond 8 GiB), as far as it takes to tell what lies in them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/block/block_device.hpp"

namespace hrvm::probe {

// The names of the files in it, in order, those of the first 256 members; nullopt for what is no archive.
std::optional<std::vector<std::string>> list_tar(block::BlockDevice& file);

}  // namespace hrvm::probe
