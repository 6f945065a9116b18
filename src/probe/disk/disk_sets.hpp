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

// "disk-set", for each disk of a set; what is missing of the set is then what is on none of them.
void tell_shared_set(const SharedSet& shared, std::vector<SurveyAttempt>& attempts);

}  // namespace hrvm::probe
