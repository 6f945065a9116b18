// `hrvm boot --try-hard`: the machine on one bus and firmware after another, each in a throw-away layer, until it comes
// up; what worked is kept in its definition.
#pragma once

#include "cli/words/boot_words.hpp"
#include "hrvm/launch/run.hpp"

namespace hrvm::cli {

// `watch`: who hears what the guests print.
Outcome try_hard(const Context& context, const machine::Store& store, const BootWords& words,
                 const launch::WatchRequest& watch);

}  // namespace hrvm::cli
