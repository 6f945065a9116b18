// The disks that a machine is made of: those that were named, and attached ones that bear the rest of what those bear a
// part of.
#pragma once

#include <vector>

#include "hrvm/cli/command.hpp"
#include "hrvm/probe/survey.hpp"

namespace hrvm::cli {

// Whether something on the disk counts on members that are not on it.
bool is_part_of_a_set(const probe::Survey& survey);

// The surveys of `named` and of the attached disks that a set of theirs needs; the one that boots is the first, and
// tells of what they bear together. Attached disks are looked through only where the first that was named is one.
std::vector<probe::Survey> survey_set(const sys::Host& host, std::vector<probe::Disk> named,
                                      probe::Thoroughness thoroughness);

}  // namespace hrvm::cli
