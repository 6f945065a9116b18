// Names inside a store that more than one of its files needs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hrvm/machine/store.hpp"
#include "hrvm/sys/files.hpp"

namespace hrvm::machine {

// A machine's folder on its way out: renamed to this and an id, then deleted.
inline constexpr std::string_view removed_prefix = ".removed-";

sys::Path generation_path(const sys::Path& folder, std::uint64_t generation);
// Error{corrupt}, or Error{unsupported} of a newer hrvm's.
Definition read_generation(const sys::Path& file);

// Error{corrupt} where it is not there.
void check_file(const Machine& machine, const sys::Path& path);

// The layers whose merge was begun and is not committed, a line each. A header among them may name what lies further
// down than the definition says, and what it was when it was frozen says nothing of it.
sys::Path merging_path(const sys::Path& folder);
std::vector<std::string> merging_layers(const sys::Path& folder);

}  // namespace hrvm::machine
