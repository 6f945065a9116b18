// The names of an XFS folder, whatever form it has: all of them, or one by its hash.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "fs/xfs/directory_block.hpp"

namespace hrvm::fs::xfs {

// False ends it.
using NameVisitor = std::function<bool(const Name&)>;

// Without "." and "..", in the order of the folder's file. Takes the memory of one block. Error{corrupt} where a name
// leaves its block.
void visit_names(Volume& volume, const Inode& folder, const NameVisitor& visitor);

// Reads the blocks that lead to the name. nullopt where it is not there; "." and ".." never are.
std::optional<std::uint64_t> find_name(Volume& volume, const Inode& folder, std::string_view name);

}  // namespace hrvm::fs::xfs
