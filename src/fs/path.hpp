// Paths within a filesystem, taken apart without looking at it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hrvm::fs {

// The names in a path, outermost first, without empty ones and ".". ".." stays: where it leads hangs on the links
// before it.
std::vector<std::string> components(std::string_view path);

}  // namespace hrvm::fs
