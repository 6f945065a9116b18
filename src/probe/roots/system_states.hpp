// The states in which a system is kept besides the one that starts: generations of NixOS, snapshots of btrfs (snapper's
// and others'), slots of an appliance that is updated as a whole. All are told as states of one system.
#pragma once

#include <deque>
#include <span>

#include "hrvm/probe/survey.hpp"
#include "probe/boot/boot_menus.hpp"
#include "probe/roots/system_trees.hpp"

namespace hrvm::probe {

// Fills in the states of this disk's systems, and takes away those that are a state of another.
void add_states(Contents& contents, SystemTrees& trees, const std::deque<SystemRoot>& roots,
                std::span<const BootMenu> menus);

}  // namespace hrvm::probe
