// Evidence that a filesystem was mounted or written: see block/mark.hpp.
#pragma once

#include <optional>
#include <string_view>

#include "hrvm/block/mark.hpp"

namespace hrvm::fs {

// By libblkid's type name; nullopt for types that hrvm does not look into yet.
std::optional<block::Marker> marker_of(std::string_view type);

}  // namespace hrvm::fs
