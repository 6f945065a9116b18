// Which folders of a stack have a file, as overlayfs sees it.
#pragma once

#include <string>
#include <vector>

#include "hrvm/sys/tree.hpp"

namespace hrvm::fs {

using Layers = std::vector<const sys::Tree*>;  // the topmost first

// Of the layers in which the folder that holds it is seen, those that have this path: for a file one, for a folder all
// that are seen together, and none where it is hidden.
Layers that_have(const Layers& folders, const std::string& path);

}  // namespace hrvm::fs
