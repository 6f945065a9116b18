// The entries of a folder, whatever form it has.
//
// Memory: 64 KiB of the folder at most, whatever its size; its holes cost nothing.
#pragma once

#include <optional>
#include <string_view>

#include "fs/ext/volume.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs::ext {

// As FileSystem::visit. What can be read of a damaged folder is given before Error{corrupt}.
void visit_folder(Volume& volume, const File& folder, const EntryVisitor& visitor);
// Names that differ in case alone are different ones, in folders that fold case too.
std::optional<Node> find_in_folder(Volume& volume, const File& folder, std::string_view name);

}  // namespace hrvm::fs::ext
