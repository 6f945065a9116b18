// A file of btrfs as its inode describes it.
#pragma once

#include <cstdint>
#include <optional>

#include "fs/btrfs/format.hpp"
#include "fs/btrfs/tree.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs::btrfs {

std::optional<InodeItem> find_inode(const Tree& tree, std::uint64_t number);
FileKind kind_by_mode(std::uint32_t mode);
FileKind kind_by_type(std::uint8_t type);  // an EntryType
// Linux counts what a file takes in whole sectors.
Stat stat_of(Node node, const InodeItem& inode, std::uint32_t sector_bytes);

}  // namespace hrvm::fs::btrfs
