#include "sys/temporary_name.hpp"

#include <fmt/core.h>
#include <sys/random.h>

#include <cerrno>
#include <cstdint>

#include "hrvm/base/error.hpp"

namespace hrvm::sys {

std::filesystem::path temporary_beside(const std::filesystem::path& path) {
  std::uint64_t draw = 0;
  if (::getrandom(&draw, sizeof draw, 0) != sizeof draw) throw base::system_error(errno, "draw a name beside", path);
  return path.parent_path() / fmt::format(".{}.{:016x}.tmp", path.filename().string(), draw);
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace hrvm::sys
