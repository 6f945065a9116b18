// Where a file's blocks lie: in a tree of extents (ext4), or by pointers in the inode and in up to three levels of
// blocks (ext2, ext3).
//
// Each lookup walks down once, with one block of the tree in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "fs/ext/volume.hpp"

namespace hrvm::fs::ext {

// From the block that was asked for on: so many blocks that lie together, or that read as zeros.
struct Run {
  std::uint64_t blocks = 0;        // never 0
  std::uint64_t volume_block = 0;  // all of the run within the filesystem; 0: a hole, or allocated and not written
};

// No file has blocks from here on: what is asked for there is a hole.
inline constexpr std::uint64_t file_blocks_end = 1ull << 32;

// Error{corrupt} for a tree that cannot be. The file must not have inline data.
Run run_at(Volume& volume, const File& file, std::uint64_t block);
// The same by a copy of an inode's i_block: the superblock keeps one of the journal's.
Run run_in_extents(Volume& volume, std::span<const std::byte, 60> root, std::uint64_t block);
Run run_in_pointers(Volume& volume, std::span<const std::byte, 60> root, std::uint64_t block);

// The blocks that lead to a file's data, above which each is met. The visitor may throw to end it: a damaged tree can
// have more of them than the filesystem has blocks.
void visit_leading_blocks(Volume& volume, const File& file, const std::function<void(std::uint64_t)>& visitor);
void visit_extent_tree(Volume& volume, std::span<const std::byte, 60> root,
                       const std::function<void(std::uint64_t)>& visitor);
void visit_pointer_tree(Volume& volume, std::span<const std::byte, 60> root,
                        const std::function<void(std::uint64_t)>& visitor);

// Fills `out` from `offset` of the file's blocks on, with zeros where nothing is stored.
void read_blocks(Volume& volume, const File& file, std::uint64_t offset, std::span<std::byte> out);

}  // namespace hrvm::fs::ext
