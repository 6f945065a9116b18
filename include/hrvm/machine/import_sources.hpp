// What a machine is made of: disks, attached ones that bear the rest of what those bear a part of, or a folder.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "hrvm/machine/import.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::machine {

// A disk that a machine gets besides its first. Error as of probe::locate_disk; {unsupported} for a folder, {corrupt}
// or {refused} for an image as of image_obstacle.
probe::Disk locate_extra_disk(const sys::Host& host, const std::string& source);
// In QEMU's own range of addresses that nobody else is given.
std::string draw_mac(const sys::Host& host);

// What a machine remembers of it.
std::string kept_path(const probe::Disk& disk);

// Whether something on the disk counts on members that are not on it.
bool is_part_of_a_set(const probe::Survey& survey);

// The surveys of `named` and of the attached disks that a set of theirs needs; the one that boots is the first, and
// is of what they bear together. Attached disks are looked through only where the first that was named is one.
// Error{usage} for a disk that is named twice.
std::vector<probe::Survey> survey_set(const sys::Host& host, std::vector<probe::Disk> named,
                                      probe::Thoroughness thoroughness);

// The system whose root the folder is. Error{unsupported} when it is none or has no kernel; Error{refused} for a store
// that lies in it; Error{permission} for who is not root.
probe::Survey survey_folder(const sys::Host& host, const Store& store, const probe::Disk& folder);

// What is in the initramfs decides on the bus alone, and takes longer to read than all the rest: only where nothing
// cheaper says, and no bus was asked for.
bool wants_initramfs(const ImportRequest& request, const probe::Contents& contents);

// All that plan_import needs. The disks are surveyed last, so that reading them can go on meanwhile.
ImportCircumstances gather_import(const sys::Host& host, const Store& store,
                                  const std::function<std::vector<probe::Survey>()>& surveys);

}  // namespace hrvm::machine
