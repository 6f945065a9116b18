#include "fs/stacked.hpp"

#include "hrvm/sys/overlay.hpp"

namespace hrvm::fs {

Layers that_have(const Layers& folders, const std::string& path) {
  Layers found;
  for (const auto* layer : folders) {
    const auto status = layer->status(path);
    if (status.type == sys::FileType::missing) continue;
    const bool is_folder = status.type == sys::FileType::directory;
    if (sys::is_whiteout(status) || (!is_folder && !found.empty())) break;
    found.push_back(layer);
    if (!is_folder || sys::is_opaque(*layer, path)) break;
  }
  return found;
}

}  // namespace hrvm::fs
