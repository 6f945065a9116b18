#include <fmt/core.h>

#include <algorithm>

#include "hrvm/base/text.hpp"
#include "machine/change/change_parts.hpp"

namespace hrvm::machine {
namespace {

constexpr std::size_t largest_nvram = 64 << 20;

std::optional<std::string> variables(const Machine& machine, const std::optional<std::string>& nvram) {
  return nvram ? sys::try_read_file(machine.nvram_path(*nvram), largest_nvram) : std::nullopt;
}

// With nothing in the state's layer. A state has variables once it was booted, and its snapshots never had any.
bool is_as_in(const Machine& machine, const State& state, const Snapshot& snapshot) {
  return state.hardware == snapshot.hardware && variables(machine, state.nvram) == variables(machine, snapshot.nvram);
}

}  // namespace

std::string automatic_name(const Definition& definition, base::Time now) {
  auto name = "auto-" + base::format_time(now);
  std::erase_if(name, [at = 0](char c) mutable { return ++at > 5 && (c == '-' || c == ':'); });
  if (!definition.find_snapshot(name)) return name;
  for (unsigned count = 2;; ++count)
    if (auto other = fmt::format("{}-{}", name, count); !definition.find_snapshot(other)) return other;
}

const Snapshot* unchanged_since(const Machine& machine) {
  for (auto state = machine.definition.active; is_layer_empty(machine, state.layer);) {
    const auto* below = state.head ? machine.definition.find_snapshot(*state.head) : nullptr;
    if (below && below->is_nameless()) {  // it has nothing but a layer
      state.layer = below->layer;
      state.head = below->parent;
      continue;
    }
    if (!below || !is_as_in(machine, state, *below)) return nullptr;
    if (below->is_auto) return below;
    state = {below->layer, below->nvram, below->hardware, below->parent};
  }
  return nullptr;
}

void mark_automatic(Change& change) {
  auto& made = change.definition.snapshots.back();
  made.is_auto = true;
  change.definition.log.back().what = fmt::format("{} {}", create_order, made.name);
  fold_timed_steps(change.definition.log);
}

}  // namespace hrvm::machine
