// Evidence that a member of volumes, or what is encrypted, was written: see block/mark.hpp.
#pragma once

#include <optional>
#include <string_view>

#include "hrvm/block/mark.hpp"

namespace hrvm::volume {

// By libblkid's type name; nullopt for types that are no such member.
std::optional<block::Marker> marker_of(std::string_view type);

}  // namespace hrvm::volume
