// What import shows: the machine that it made or would make, what was decided and why, and the line to type next.
#pragma once

#include "hrvm/machine/import.hpp"
#include "hrvm/report/report.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::cli {

report::Report import_report(const sys::Host& host, const machine::Machine& machine, const machine::ImportPlan& plan);
report::Report import_plan_report(const machine::Store& store, const machine::ImportPlan& plan);

}  // namespace hrvm::cli
