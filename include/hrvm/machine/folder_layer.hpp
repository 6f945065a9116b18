// The layers of a machine whose base is a folder. Where a disk's layer is a qcow2 file, one of a folder is a folder
// itself: LAYER/upper holds what changed, as overlayfs keeps it, and LAYER/work belongs to the kernel.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "hrvm/machine/store.hpp"

namespace hrvm::machine {

inline Path upper_of(const Path& layer) { return layer / "upper"; }
inline Path work_of(const Path& layer) { return layer / "work"; }

// An empty one. Its root has the owner, mode and labels of `below`, as a guest takes those from the topmost.
void make_folder_layer(const Path& layer, const Path& below);

// No guest wrote to it.
bool is_empty_folder_layer(const Path& layer);

// Makes `merged`, which shows on whatever lies below `parent` what `child` on `parent` shows. These two stay as they
// are: files are linked, not copied. It is durable when this returns.
void merge_folder_layers(const Path& parent, const Path& child, const Path& merged);

// What a guest sees in this state, the topmost first: the last is the base's own folder.
std::vector<Path> folder_stack(const Machine& machine, const State& state);

// What a layer takes on its medium, be it a file or a folder; 0 where it is missing.
std::uint64_t allocated_bytes(const Path& layer);
std::optional<std::uint64_t> allocated_if_there(const Path& layer);
// The same of a layer of all disks of a machine.
std::uint64_t allocated_bytes(const Machine& machine, const std::string& layer);

}  // namespace hrvm::machine
