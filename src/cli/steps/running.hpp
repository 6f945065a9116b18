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

// With --stop, or where it runs and a person on a terminal says so, who is asked whether to stop it and do `verb`. Not
// with --dry-run; --yes is for what else would be asked.
bool is_to_be_stopped(const Context& context, const std::string& machine, std::string_view verb);
// The machine's own run is ended, as by hrvm stop.
void stop_first(const Context& context, const std::string& machine);
Option stop_option();

// What became of a machine in one word, "paused", and as a sentence.
report::Report run_report(std::string_view command, const std::string& machine, std::string_view word,
                          std::string sentence);

}  // namespace hrvm::cli
