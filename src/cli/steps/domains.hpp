// What commands do about the domain that a machine is in libvirt.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "hrvm/base/json.hpp"
#include "hrvm/cli/command.hpp"
#include "hrvm/launch/domain.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::cli {

// Makes a change that gives the machine anew, with its domain undefined meanwhile, and defined for what it is then.
// Where libvirt cannot do the one, nothing is changed; where it cannot do the other, this is a warning.
machine::Machine change_with_domain(const Context& context, const machine::Machine& machine,
                                    const std::function<machine::Machine()>& change);

// Defines the domain that a change which was cut off has left undefined. What cannot be done is a warning.
void define_left_over(const Context& context, const machine::Machine& machine);

// The record of a machine that goes; null with a warning for one that cannot be read.
std::optional<launch::DomainRecord> record_of_leaving(const Context& context, const machine::Path& folder);
// Error{busy} when libvirt runs it, on another host too, where nothing is locked here. Out of reach counts as stopped.
void check_ended(const Context& context, const launch::DomainRecord& record, const std::string& machine);
// After the machine has gone. What cannot be done is a warning with what to run later.
void undefine_for_good(const Context& context, const launch::DomainRecord& record);

}  // namespace hrvm::cli
