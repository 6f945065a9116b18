// What one machine could do to another: a store that lies in a machine's folder, and a layer that another machine has
// as its base.
#pragma once

#include <string>
#include <vector>

#include "hrvm/machine/store.hpp"

namespace hrvm::machine {

// Error{refused} where a store at this place, which need not be there yet, would lie in a machine's folder: what that
// machine does not know is removed.
void check_store_place(const Path& store);

// Error{refused} where a machine of the store, other than this one, has one of these files as a base or below its base:
// they are not to be removed.
void check_no_base_among(const Store& store, const std::string& machine, const std::vector<Path>& files);

}  // namespace hrvm::machine
