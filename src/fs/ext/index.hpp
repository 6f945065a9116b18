// A folder's hashed index ("htree"): leads from a name's hash to the blocks that can hold the name.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "fs/ext/volume.hpp"

namespace hrvm::fs::ext {

// Calls visit() with each block of the folder that can hold `name`, mostly one, until it returns false. Whether the
// index could be followed: what it does not find, a search through all of the folder may.
bool visit_leaves(Volume& volume, const File& folder, std::string_view name,
                  const std::function<bool(std::uint64_t block)>& visit);

}  // namespace hrvm::fs::ext
