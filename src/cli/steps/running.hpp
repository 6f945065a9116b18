// The runs of a machine, for the commands that give them orders.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/cli/command.hpp"
#include "hrvm/launch/runs.hpp"

namespace hrvm::cli {

// Of "web" the machine's own run, else those of it in throw-away layers; of "web@fresh" those of that snapshot.
// Error{not_found} when there is none.
std::vector<launch::Run> runs_named(const Context& context, const std::string& word);

// --timeout, or a minute. Error{usage} for more than a day.
std::chrono::seconds patience_of(const Arguments& arguments);
Option patience_option();

// With --stop the machine's own run is ended first, as by hrvm stop; not with --dry-run.
void stop_if_asked(const Context& context, const std::string& machine);
Option stop_option();

// What became of a machine in one word, "paused", and as a sentence.
report::Report run_report(std::string_view command, const std::string& machine, std::string_view word,
                          std::string sentence);

}  // namespace hrvm::cli
