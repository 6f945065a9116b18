// The trees of files of a btrfs: its top level, and subvolumes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "fs/btrfs/format.hpp"
#include "fs/btrfs/tree.hpp"
#include "fs/btrfs/volume.hpp"
#include "hrvm/fs/file_system.hpp"

namespace hrvm::fs::btrfs {

// nullopt where there is no such subvolume, or it has been deleted.
std::optional<RootItem> find_root(Volume& volume, std::uint64_t id);
Tree tree_of(Volume& volume, const RootItem& root);
// Whether other subvolumes hang in it.
bool holds_subvolumes(Volume& volume, std::uint64_t id);
std::optional<Tree> tree_of_checksums(Volume& volume);

// Whether subvolume `id` hangs in a folder of `parent`. In a snapshot those of its origin have left empty folders.
bool hangs_in(Volume& volume, std::uint64_t id, std::uint64_t parent, std::uint64_t folder, std::string_view name);

// The top level, then in the order of their ids; at most 4096. Those whose path cannot be found are left out.
std::vector<Subvolume> list_subvolumes(Volume& volume);

}  // namespace hrvm::fs::btrfs
