// hrvm log --console: what a run printed on its serial line.
#pragma once

#include <string>
#include <vector>

#include "hrvm/cli/command.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::cli {

// --console, --boot, --follow.
std::vector<Option> kept_console_options();
// Error{usage} where one of them stands without --console.
void check_kept_console_words(const Context& context);

// On standard output: to a pipe as the guest printed it, to a terminal as lines in which nothing commands it. Error
// {not_found} that tells how many runs there are.
Outcome show_kept_console(const Context& context, const machine::Machine& machine);

}  // namespace hrvm::cli
