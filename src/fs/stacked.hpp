// Which folders of a stack have a file, as overlayfs sees it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hrvm/sys/tree.hpp"

namespace hrvm::fs {

using Layers = std::vector<const sys::Tree*>;  // the topmost first

// Of the layers in which the folder that holds it is seen, those that have this path: for a file one, for a folder all
// that are seen together, and none where it is hidden.
Layers that_have(const Layers& folders, const std::string& path);

// Whether the overlay keeps it for itself, and does not show it.
inline bool is_of_overlay(std::string_view attribute) { return attribute.starts_with("trusted.overlay."); }

}  // namespace hrvm::fs
