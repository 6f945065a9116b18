// Image files that are no raw disk, though their bytes could be read as one: told by their magic, and parts of a whole
// by the files that lie beside them.
#pragma once

#include <optional>
#include <string>

#include "hrvm/block/block_device.hpp"
#include "hrvm/probe/disk.hpp"

namespace hrvm::probe {

// Another hypervisor's image, what is packed or archived, a part of a split image; nullopt for anything else. A
// partition table in the first sector goes before a magic. `file` bears its path as its name.
std::optional<ForeignFile> find_container(block::BlockDevice& file);

// What the first bytes are known as, "a PNG picture"; empty for anything else. A filesystem may lie behind such bytes:
// this counts where none is found.
std::string looks_like(block::BlockDevice& file);

}  // namespace hrvm::probe
