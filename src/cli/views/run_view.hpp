// How a machine runs, as commands show it: members of the object in machines[], and what of them a person sees.
#pragma once

#include <optional>

#include "hrvm/base/json.hpp"
#include "hrvm/launch/domain.hpp"
#include "hrvm/machine/store.hpp"
#include "hrvm/report/report.hpp"
#include "hrvm/sys/host.hpp"

namespace hrvm::cli {

// state, pid, libvirt, guard, paused, since, running, runs, throw_away_runs; null where it is not known. What runs is
// the active state: `running` is null where another one is looked at.
void set_run_state(base::Json& json, const sys::Host& host, launch::ActiveDomains& domains,
                   const machine::Machine& machine, bool is_active_state);

// {"uri", "domain"}, or null.
base::Json domain_json(const std::optional<launch::DomainRecord>& record);

// `running` and the rows of `runs` that are in throw-away layers, for a person.
report::FieldsView running_view();
report::TableView throw_away_table();

}  // namespace hrvm::cli
