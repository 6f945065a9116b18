// What the parts of a definition say of each other.
#pragma once

#include "hrvm/machine/definition.hpp"
#include "machine/definition/document_value.hpp"

namespace hrvm::machine {

// That states lie on snapshots that there are, no file is named twice, and each layer on the base has its fingerprint.
// Error{corrupt} names the member of `value`, which the definition was read from.
void check_references(const DocumentValue& value, const Definition& definition);

}  // namespace hrvm::machine
