// Merging two neighbours of a chain, for the removal of the snapshot between them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "hrvm/image/layout.hpp"
#include "hrvm/sys/terminal.hpp"

namespace hrvm::image {

// Adds to the qcow2 image `child` everything that it shows through its backing image `parent` (qcow2), then makes the
// parent's backing its own. What the child shows is the same at every instant: data and refcounts are durable before an
// L2 entry names them, all clusters before the header lets go of the parent. Interrupted or killed anywhere, the child
// is whole, at worst with leaked clusters, and the merge can be run again. The parent is only read. Both are locked as
// QEMU locks them; Error{busy} when one is in use. The parent's file is left to the caller.
void merge_parent_into_child(const std::filesystem::path& parent, const std::filesystem::path& child,
                             const sys::ProgressCallback& progress);

// The same with a parent that others may read meanwhile, QEMU among them; Error{busy} when it is written to.
void merge_shared_parent(const std::filesystem::path& parent, const std::filesystem::path& child,
                         const sys::ProgressCallback& progress);
// The same again with a child that is a copy of one and that nobody else knows of yet, so that it is not locked.
void merge_parent_into_copy(const std::filesystem::path& parent, const std::filesystem::path& child,
                            const sys::ProgressCallback& progress);

// Cuts off what lies behind the last counted cluster of a qcow2 image, and behind `least_bytes`: space that a merge
// takes in advance, and keeps when it is killed. Gives the bytes that the file became shorter; 0 also while somebody
// uses the image, and where it is marked as dirty or corrupt, as its counts then say too little.
std::uint64_t give_back_reserved(const std::filesystem::path& image, std::uint64_t least_bytes);

}  // namespace hrvm::image
