// Inodes as the log has them, made into inodes as they lie on disk.
#pragma once

#include <span>

#include "fs/xfs/log_transactions.hpp"
#include "fs/xfs/volume.hpp"

namespace hrvm::fs::xfs {

// Changes `inode`, all of its bytes on disk, to what the item of a transaction that begins at `place` says; not where
// it is newer already. Error{corrupt} where one of both cannot be.
void replay_inode(const Volume& volume, const Item& item, std::uint64_t place, std::span<std::byte> inode);

// A new inode that is in no use yet.
void make_inode(const Volume& volume, std::uint64_t number, std::uint32_t generation, std::span<std::byte> inode);

}  // namespace hrvm::fs::xfs
