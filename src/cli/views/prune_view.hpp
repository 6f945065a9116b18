// What retention makes of snapshots, as commands show it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hrvm/base/time.hpp"
#include "hrvm/machine/retention.hpp"
#include "hrvm/report/report.hpp"

namespace hrvm::cli {

// Of a machine, or of none where it is simulated. Once it is done, what is not kept is gone.
struct Pruning {
  std::optional<std::string> machine;
  std::vector<machine::Verdict> verdicts;
};
std::size_t count_of_going(const Pruning& pruning);
std::size_t count_of_going(const std::vector<Pruning>& prunings);

struct PruneCircumstances {
  base::Time now{};
  std::string zone;
  bool done = false;  // else a plan
  bool undo = false;  // what goes is held for it
};
report::Report prune_report(const std::vector<Pruning>& prunings, const PruneCircumstances& at);

}  // namespace hrvm::cli
