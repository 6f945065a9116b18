// What starts each system of a disk where nobody chooses, and whether its kernel finds the root on the buses of a
// machine; with findings about what will bite there.
#pragma once

#include <deque>
#include <span>

#include "hrvm/probe/survey.hpp"
#include "probe/boot/boot_menus.hpp"
#include "probe/roots/system_trees.hpp"

namespace hrvm::probe {

enum class BootQuestions {
  all,         // initramfs are read, at most four of them
  quick,       // none is
  of_a_guest,  // as quick, and without findings: no machine is made of a guest's disk
};

// Fills in `boot`, `drivers` and `virtio` of the Linux systems that are this disk's own. Where there are none, but a
// boot loader starts one from a container that cannot be looked into, adds that one. `places` are those of `contents`,
// by name.
// `menus` are theirs, `roots` those of systems that were put together.
void add_boot_evidence(Contents& contents, std::span<const BootPlace> places, BootQuestions questions,
                       std::span<const BootMenu> menus, const std::deque<SystemRoot>& roots);

// Of systems that lie each on one filesystem.
void add_boot_evidence(Contents& contents, std::span<const BootPlace> places, BootQuestions questions);

}  // namespace hrvm::probe
