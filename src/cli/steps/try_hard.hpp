// `hrvm boot --try-hard`: the machine on one bus and firmware after another, each in a throw-away layer, until it comes
// up; what worked is kept in its definition.
#pragma once

#include <functional>

#include "cli/words/boot_words.hpp"
#include "hrvm/launch/run.hpp"

namespace hrvm::cli {

// Boots it once as the words say, with the judge watching, and leaves nothing behind.
using TryOnce = std::function<launch::WatchResult(const BootWords& words, launch::BootJudge& judge)>;

Outcome try_hard(const Context& context, const BootWords& words, const TryOnce& try_once);

}  // namespace hrvm::cli
