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
//
// A node is what the kernel knows a file by, its inode's number (with the layer in the uppermost bits, as overlayfs
// does) and its device where that is another than its layer's. So it is the same in another process and on another day.
// But nothing can be opened by it: the reader remembers which path led to the 128 Ki files (16 MiB of paths) that were
// met or asked for last, and checks that the path still leads to that file. Any other is Error{not_found}, until it is
// met again: find(files, path) is enough.
//
// Where data lie is not known: what is no hole is Stored::inside, without a place.
std::unique_ptr<FileSystem> open_folder(const std::vector<std::filesystem::path>& layers);

// Where the file lies that this path means, links followed as resolve() does; nullopt when it ends nowhere.
std::optional<std::filesystem::path> place_in_folder(const std::vector<std::filesystem::path>& layers,
                                                     std::string_view path);

}  // namespace hrvm::fs
