// Folders of NTFS: a B+tree of names in upper case, each with the reference of its file. Names that Windows made for
// DOS (8.3) and metafiles are entries too; neither is shown, and both are found.
#pragma once

#include <optional>
#include <string_view>

#include "fs/ntfs/volume.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs::ntfs {

// The name as it is written, or else in any case.
std::optional<Node> find_in_folder(Volume& volume, Node folder, std::string_view name);
void visit_folder(Volume& volume, Node folder, const EntryVisitor& visitor);

}  // namespace hrvm::fs::ntfs
