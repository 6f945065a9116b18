#include "probe/roots/state_keepers.hpp"

#include <algorithm>

#include "hrvm/base/text.hpp"
#include "probe/systems/linux_facts.hpp"

namespace hrvm::probe {

fs::FileSystem* StateSearch::files_of(const System& system) const {
  const auto made = std::ranges::find(roots, system.root, &SystemRoot::name);
  if (made != roots.end()) return made->files.get();
  const SystemTree* tree = tree_of(system.root);
  return tree ? &tree->files() : nullptr;
}

const SystemTree* StateSearch::tree_of(const std::string& name) const {
  const auto found = std::ranges::find(trees.all(), name, &SystemTree::name);
  return found == trees.all().end() ? nullptr : &*found;
}

std::optional<CommandLine> StateSearch::default_line() const {
  for (const BootMenu& menu : menus)
    for (const BootEntry& entry : menu.entries)
      if (entry.is_default && !entry.kernel.empty()) return parse_command_line(entry.command_line);
  return std::nullopt;
}

std::string image_version(fs::FileSystem& root) {
  auto release = read_os_release(root);
  if (!release) return {};
  for (const char* key : {"IMAGE_VERSION", "VERSION_ID", "BUILD_ID", "VERSION"})
    if (const auto found = release->find(key); found != release->end() && !found->second.empty())
      return base::printable(found->second);
  return {};
}

}  // namespace hrvm::probe
