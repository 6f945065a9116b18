// What the bisect commands share.
#pragma once

#include <string>

#include "cli/steps/changing.hpp"
#include "hrvm/cli/command.hpp"
#include "hrvm/machine/bisect.hpp"

namespace hrvm::cli {

// "s8" or "web@s8" of the machine `web`. Error{usage} for one of another machine.
std::string state_word(const std::string& machine, const std::string& word);

// A verdict of a person's, about the states that are named; about the one that is to be tested where none is.
Outcome say_verdict(const Context& context, machine::BisectVerdict verdict);
// The positionals of commands that do that.
std::vector<Positional> verdict_positionals();

// As it stands. Exit status 0 while it is open or found, 3 where only what cannot be tested is left, 1 where it cannot
// go on.
Outcome bisect_outcome(std::string_view command, const machine::Machine& machine, const machine::Bisect& bisect);

}  // namespace hrvm::cli
