// The part of carrying out a change that import needs as well.
#pragma once

#include "hrvm/machine/change.hpp"

namespace hrvm::machine {

// Its bytes are durable; its name is when the definition that names it is committed.
void write_layer(const Machine& machine, const NewLayer& layer);

}  // namespace hrvm::machine
