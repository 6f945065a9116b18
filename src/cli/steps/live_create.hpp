// A snapshot of a machine that runs: carried out with what hears of it, and told.
#pragma once

#include <optional>
#include <string>

#include "cli/steps/changing.hpp"
#include "hrvm/cli/command.hpp"
#include "hrvm/launch/live_snapshot.hpp"

namespace hrvm::cli {

// As --freeze says.
launch::Freeze freeze_wanted(const Arguments& arguments);

launch::LiveSnapshot make_live(const Context& context, const LockedMachine& locked, const machine::Change& pending,
                               const launch::LiveRequest& request);

// The words of a snapshot that is made, whether the machine runs or not.
ChangeWords words_of_snapshot(const std::string& machine, const std::string& snapshot);
// What tells how it was made, and how good it is.
void set_snapshot(report::Report& report, const machine::Machine& machine, const std::string& name,
                  const std::optional<launch::LiveSnapshot>& live);
// With its memory where --with-memory says so. With --dry-run only shows what plan_pending_snapshot() gave.
Outcome create_live(const Context& context, const LockedMachine& locked, const machine::Change& pending);

}  // namespace hrvm::cli
