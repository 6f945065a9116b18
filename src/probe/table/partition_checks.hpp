// What both kinds of table are checked for, one Finding each however many partitions it concerns.
#pragma once

#include <string>
#include <vector>

#include "hrvm/probe/partition_table.hpp"

namespace hrvm::probe {

// Numbers of the partitions that were left out, by the reason.
struct FaultyNumbers {
  std::vector<unsigned> impossible;  // end before start, or lie on the table itself
  std::vector<unsigned> beyond_end;
};

void add_findings(const FaultyNumbers& faulty, const std::string& disk, std::vector<base::Finding>& findings);

// Adds partitions-overlap. Extended partitions, which contain their logical ones, do not count.
void check_overlaps(PartitionTable& table, const std::string& disk);

}  // namespace hrvm::probe
