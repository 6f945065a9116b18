// Disks that bear parts of the same volume group, array or pool.
#pragma once

#include <string>
#include <vector>

#include "hrvm/probe/survey.hpp"

namespace hrvm::probe {

// One set over several of the disks that were surveyed, by their places among them; the one that boots comes first.
struct SharedSet {
  DiskSet set;
  std::vector<std::size_t> disks;
};

// Sets that no disk bears whole and that lie on several. Two disks with the same whole set are copies of each other.
std::vector<SharedSet> find_shared_sets(const std::vector<SurveyAttempt>& attempts);

bool boots(const Survey& survey);

// "disk-set", as a warning with the first disk and as a note with each other, which refers to it. The first was read
// with the others: what lies on them together, and what is missing of a set on all of them, is told there alone.
void tell_shared_sets(const std::vector<SharedSet>& shared, std::vector<SurveyAttempt>& attempts);

}  // namespace hrvm::probe
