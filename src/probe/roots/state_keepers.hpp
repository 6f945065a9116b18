// Who keeps states of a system, each in a file of its own: slots.cpp, snapshots.cpp, generations.cpp.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hrvm/probe/survey.hpp"
#include "probe/boot/boot_menus.hpp"
#include "probe/boot/command_line.hpp"
#include "probe/roots/system_trees.hpp"

namespace hrvm::probe {

struct StateSearch {
  Contents& contents;
  SystemTrees& trees;
  const std::deque<SystemRoot>& roots;
  std::span<const BootMenu> menus;

  // With what is mounted in it; nullptr where it cannot be looked into.
  fs::FileSystem* files_of(const System& system) const;
  const SystemTree* tree_of(const std::string& name) const;
  // Of the entry that starts where nobody chooses, of the first menu that has one with a kernel.
  std::optional<CommandLine> default_line() const;
};

constexpr std::size_t most_states = 64;  // of a system

void add_slots(const StateSearch& search);
void add_snapshots(const StateSearch& search);
void add_generations(const StateSearch& search);

// The version of a system that is kept as an image: of the image, else of the release.
std::string image_version(fs::FileSystem& root);

}  // namespace hrvm::probe
