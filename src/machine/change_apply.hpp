// The part of carrying out a change that import needs as well.
#pragma once

#include "hrvm/machine/change.hpp"

namespace hrvm::machine {

// Durable, with mode 0600, under its final name.
void write_layer(const Machine& machine, const NewLayer& layer);

}  // namespace hrvm::machine
