// The domain that a machine is in libvirt, while the machine changes, boots without libvirt, or goes.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "hrvm/launch/domain.hpp"
#include "hrvm/launch/launch_plan.hpp"
#include "hrvm/launch/listener.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::launch {

// Makes a change that gives the machine anew, with its domain undefined meanwhile, and defined for what it is then.
// Where libvirt cannot do the one, nothing is changed; where it cannot do the other, this is a warning.
machine::Machine change_with_domain(const sys::Host& host, const Listener& listener, const machine::Machine& machine,
                                    const std::function<machine::Machine()>& change);

// Defines the domain that a change which was cut off has left undefined. What cannot be done is a warning.
void define_left_over(const sys::Host& host, const Listener& listener, const machine::Machine& machine);

// Before it boots: libvirt may run it on another host, or keep the memory of a guest whose disk must not move on
// without it, which is no matter where libvirt is to go on with it. Error{busy}. Out of reach counts as stopped.
void check_domain_is_off(const sys::Host& host, const Listener& listener, const machine::Machine& machine,
                         bool boots_in_libvirt);

// Defines the machine, as it is planned, in the libvirt at `uri`, and starts it there. Throws as Domain's functions.
void run_in_libvirt(const sys::Host& host, const machine::Machine& machine, const LaunchPlan& plan,
                    const std::string& uri);

// The record of a machine that goes; null with a warning for one that cannot be read.
std::optional<DomainRecord> record_of_leaving(const Listener& listener, const machine::Path& folder);
// Error{busy} when libvirt runs it, on another host too, where nothing is locked here. Out of reach counts as stopped.
void check_ended(const sys::Host& host, const DomainRecord& record, const std::string& machine);
// After the machine has gone. What cannot be done is a warning with what to run later.
void undefine_for_good(const sys::Host& host, const Listener& listener, const DomainRecord& record);

}  // namespace hrvm::launch
