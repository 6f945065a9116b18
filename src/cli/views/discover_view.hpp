// What hrvm discover says of disks: the data of hrvm.discover/1, and the views of it.
#pragma once

#include <optional>
#include <vector>

#include "hrvm/machine/advice.hpp"
#include "hrvm/probe/survey.hpp"
#include "hrvm/report/report.hpp"

namespace hrvm::cli {

// A disk with what was found on it. Without contents it could not be read: only what the host knows of it is shown.
struct Discovered {
  probe::Disk disk;
  std::optional<probe::Contents> contents;
  std::optional<machine::Advice> advice;
};

report::Report discover_report(const std::vector<Discovered>& disks);

}  // namespace hrvm::cli
