// Names for what is made beside its final place and then renamed over it.
#pragma once

#include <filesystem>

namespace hrvm::sys {

// A name in the same folder as `path` that begins with "." and that nobody else is likely to have.
std::filesystem::path temporary_beside(const std::filesystem::path& path);

// The folder that holds `path`; "." where the path is a bare name.
std::filesystem::path folder_of(const std::filesystem::path& path);

}  // namespace hrvm::sys
