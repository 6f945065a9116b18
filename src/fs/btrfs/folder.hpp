// The entries of a btrfs folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fs/btrfs/format.hpp"
#include "fs/btrfs/tree.hpp"

namespace hrvm::fs::btrfs {

struct FolderEntry {
  std::string name;
  Key place;  // of type inode_item: in the same tree; root_item: a subvolume
  std::uint8_t type = 0;
};

// As they were made. At most 65536. Error{corrupt} where an entry leaves its item.
std::vector<FolderEntry> read_folder(const Tree& tree, std::uint64_t folder);
std::optional<FolderEntry> find_entry(const Tree& tree, std::uint64_t folder, std::string_view name);

}  // namespace hrvm::fs::btrfs
