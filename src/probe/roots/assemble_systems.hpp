// Systems that lie on more than one filesystem, or in a folder of one, put together as they put themselves together
// when they start: by their fstab, by what the command line mounts, and, where neither says it, by what is missing in a
// root and lies on another filesystem.
#pragma once

#include <deque>
#include <span>

#include "hrvm/probe/survey.hpp"
#include "probe/boot/boot_menus.hpp"
#include "probe/roots/system_trees.hpp"

namespace hrvm::probe {

// Adds to the systems of `contents` those that only the whole shows, puts right those of which a part was known, and
// takes away those that are a part of another. Gives the roots that were put together, by the names of their systems.
std::deque<SystemRoot> assemble_systems(Contents& contents, SystemTrees& trees, std::span<const BootMenu> menus);

}  // namespace hrvm::probe
