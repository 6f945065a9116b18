// Layers whose merge was begun and is not committed yet: for who finds it half done (merging_layers()).
#pragma once

#include <set>
#include <string>

#include "hrvm/machine/store.hpp"

namespace hrvm::machine {

// What a merge is about to write to, and to commit with what it is by then. Durable when it returns.
void note_merging(const Machine& machine, const std::set<std::string>& layers);

// After a commit that has merged these. A merge whose commit never came may have left the header of another layer, too,
// as no definition has it: that stays noted.
void forget_merging(const Machine& machine, const std::set<std::string>& merged);

}  // namespace hrvm::machine
