// What `hrvm boot` says: how to reach a machine that runs, and how a watch ended.
#pragma once

#include "hrvm/base/error.hpp"
#include "hrvm/cli/command.hpp"
#include "hrvm/launch/run.hpp"

namespace hrvm::cli {

// On stderr: what a person should know of the machine before it runs.
void say_before_boot(const Context& context, const launch::LaunchPlan& plan);
// Before QEMU takes the terminal over: where the screen is, and the keys, which the plan has said again once the
// firmware has wiped them off the screen.
void say_how_to_use(const Context& context, launch::LaunchPlan& plan);

// Of a plan that is shown: the variables that its first boot makes.
void say_what_is_not_there_yet(const Context& context, const launch::LaunchPlan& plan);

report::Report command_report(const launch::LaunchPlan& plan, const machine::Path& store);
report::Report domain_report(const launch::LaunchPlan& plan);
// One that runs in the background; `matched` is the line that was waited for, where one was.
report::Report running_report(const launch::LaunchPlan& plan, pid_t pid, const std::optional<std::string>& matched);
report::Report libvirt_report(const launch::LaunchPlan& plan, const std::string& uri);

// The outcome of a watch; Error{external} with the console's tail when the text did not come.
Outcome watch_outcome(const launch::LaunchPlan& plan, const launch::WatchRequest& request,
                      const launch::WatchResult& result);
// It did not print what was waited for: Error{external} with the console's tail.
base::Error watch_failure(const std::string& machine, const launch::WatchRequest& request,
                          const launch::WatchResult& result);

}  // namespace hrvm::cli
