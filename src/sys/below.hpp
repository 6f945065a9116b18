// Paths below a folder, which may begin and end with slashes.
#pragma once

#include <string_view>

namespace hrvm::sys {

constexpr std::string_view without_slashes(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

// None that leads to the folder itself, or out of it.
constexpr bool is_name_below(std::string_view name) { return !name.empty() && name != "." && name != ".."; }

}  // namespace hrvm::sys
