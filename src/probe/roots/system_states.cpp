#include "probe/roots/system_states.hpp"

#include "hrvm/base/error.hpp"
#include "probe/roots/state_keepers.hpp"

namespace hrvm::probe {

// First what decides which systems there are.
void add_states(Contents& contents, SystemTrees& trees, const std::deque<SystemRoot>& roots,
                std::span<const BootMenu> menus) {
  for (const auto add : {add_slots, add_snapshots, add_generations}) try {
      add({contents, trees, roots, menus});
    } catch (const base::Error&) {
      // A damaged filesystem is reported where it was opened; the systems are told without their states.
    }
}

}  // namespace hrvm::probe
