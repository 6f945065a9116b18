#include "hrvm/fs/file_system.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"

namespace hrvm::fs {

std::unique_ptr<FileSystem> FileSystem::open_subvolume(std::uint64_t id) {
  throw base::Error(base::ErrorKind::not_found, fmt::format("there is no subvolume {} in an {}", id, type()));
}

}  // namespace hrvm::fs
