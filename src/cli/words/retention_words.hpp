// The words by which a person says which snapshots stay: --keep-…, --timezone, --all.
#pragma once

#include <vector>

#include "hrvm/cli/command.hpp"
#include "hrvm/machine/retention.hpp"
#include "hrvm/sys/time_zone.hpp"

namespace hrvm::cli {

std::vector<Option> retention_options();

// Those that are given, or the usual ones where none is. Error{usage} where all are 0.
machine::KeepCounts keep_counts(const Arguments& arguments);

// --timezone, or the host's own, which is told where it is not installed.
sys::TimeZone time_zone(const Context& context);

}  // namespace hrvm::cli
