// How a bisect stands, as its commands show it.
#pragma once

#include <string>

#include "hrvm/machine/bisect.hpp"
#include "hrvm/report/report.hpp"

namespace hrvm::cli {

// `command`: "bisect-run". What was found, or what is to be tested next and how.
report::Report bisect_report(std::string_view command, const machine::Machine& machine, const machine::Bisect& bisect);

// "web@s8", "the current state of web", "the base of web".
std::string full_name(const machine::Machine& machine, const machine::BisectState& state);

// What other commands take: "web@s8", "web". Not of the base.
std::string state_word(const machine::Machine& machine, const machine::BisectState& state);

// "good (12 s): it printed "login:"".
std::string verdict_text(const machine::BisectTest& test);

// Lines that hrvm bisect replay takes.
std::string bisect_script(const machine::Machine& machine, const machine::Bisect& bisect);

}  // namespace hrvm::cli
