// Names inside a store that more than one of its files needs.
#pragma once

#include <cstdint>
#include <string_view>

#include "hrvm/machine/definition.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::machine {

// A machine's folder on its way out: renamed to this and an id, then deleted.
inline constexpr std::string_view removed_prefix = ".removed-";

sys::Path generation_path(const sys::Path& folder, std::uint64_t generation);
// Error{corrupt}, or Error{unsupported} of a newer hrvm's.
Definition read_generation(const sys::Path& file);

}  // namespace hrvm::machine
