// The entries of a btrfs folder, and the extended attributes of its files, which are kept in the same form.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "fs/btrfs/format.hpp"
#include "fs/btrfs/tree.hpp"

namespace hrvm::fs::btrfs {

// Views into the leaf that it lies in, which live until the visit goes on.
struct FolderEntry {
  std::string_view name;
  Key place;  // of type inode_item: in the same tree; root_item: a subvolume
  std::uint8_t type = 0;
  std::string_view data;  // of an attribute
};

// False ends the visit.
using FolderVisitor = std::function<bool(const FolderEntry&)>;

// In the order in which they were made, each once. Error{corrupt} where an entry leaves its item, or has a name that no
// file can have.
void visit_folder(const Tree& tree, std::uint64_t folder, const FolderVisitor& visitor);
// Its name is the one that is given.
std::optional<FolderEntry> find_entry(const Tree& tree, std::uint64_t folder, std::string_view name);
// In the order of their hashes.
void visit_attributes(const Tree& tree, std::uint64_t inode, const FolderVisitor& visitor);

}  // namespace hrvm::fs::btrfs
