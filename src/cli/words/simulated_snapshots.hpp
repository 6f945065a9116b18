// A list of snapshots that need not be there: a line each, NAME<TAB>TIME[<TAB>manual].
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hrvm/base/time.hpp"
#include "hrvm/cli/command.hpp"
#include "hrvm/machine/retention.hpp"

namespace hrvm::cli {

// From a file, or "-" for what is typed or piped in; 16 MiB at most. Error{corrupt} names the line that is wrong.
std::vector<machine::RetentionCandidate> simulated_snapshots(const Context& context, const std::string& file);

// RFC 3339, in UTC or with what it is ahead of that: "2026-11-28T17:15:00+01:00".
std::optional<base::Time> time_word(std::string_view text);

}  // namespace hrvm::cli
