// Whether a machine starts with the host: what its definition says, carried to systemd, or to libvirt for a machine
// that was given to it. The machine is changed by then: what cannot be done is a warning, with what to type.
#pragma once

#include <string>

#include "hrvm/cli/command.hpp"
#include "hrvm/machine/store.hpp"

namespace hrvm::cli {

void follow_autostart(const Context& context, const machine::Store& store, const machine::Machine& machine);
// There is no machine of this name any more.
void end_autostart(const Context& context, const machine::Store& store, const std::string& name);

}  // namespace hrvm::cli
