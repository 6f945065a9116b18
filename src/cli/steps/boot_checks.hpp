// What must be so before a machine boots, in the order in which a person would want to know.
#pragma once

#include <string>
#include <vector>

#include "cli/words/boot_words.hpp"
#include "hrvm/cli/command.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/probe/disk.hpp"

namespace hrvm::cli {

// Gives the bases, where they are now, of all its disks. Error{busy} when the machine runs, also in libvirt (or `state`
// is used by a throw-away boot of it), {not_found} when a base is missing, {refused} when one has moved under the
// layers or is in use for writing, or the store has no room (each a warning with --force), {corrupt} when a file of the
// state is missing.
std::vector<probe::Disk> check_boot(const Context& context, const machine::Store& store,
                                    const machine::Machine& machine, const machine::State& state,
                                    const BootWords& words);

// A disk that a machine gets besides its own. Error as of probe::locate_disk, {corrupt} or {refused} for an image as of
// machine::image_obstacle.
probe::Disk locate_extra_disk(const Context& context, const std::string& source);
// What a machine remembers of it.
std::string kept_path(const probe::Disk& disk);
// The same; {refused} also when it is in use for writing (a warning with `force`).
probe::Disk check_extra_disk(const Context& context, const std::string& source, bool force);

}  // namespace hrvm::cli
