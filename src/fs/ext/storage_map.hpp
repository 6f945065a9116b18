// What lies where on the device of an ext filesystem: whose a block is, and which are nobody's.
#pragma once

#include <memory>

#include "fs/ext/recovery.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs::ext {

// Memory: 16 bytes for each piece of the filesystem's own tables, and one bitmap.
std::unique_ptr<StorageMap> storage_map(Recovered& recovered);

}  // namespace hrvm::fs::ext
