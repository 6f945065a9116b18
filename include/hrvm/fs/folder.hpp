// Folders of the host as a FileSystem: one that holds a system's root, or a stack of them as overlayfs shows it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs {

// The topmost first; what a whiteout or an opaque folder hides is hidden. Links are the tree's own: none leads out of
// it.
std::unique_ptr<FileSystem> open_folder(const std::vector<std::filesystem::path>& layers);

// Where the file lies that this path means, links followed as resolve() does; nullopt when it ends nowhere.
std::optional<std::filesystem::path> place_in_folder(const std::vector<std::filesystem::path>& layers,
                                                     std::string_view path);

}  // namespace hrvm::fs
