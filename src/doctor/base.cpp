// Whether the base of each machine is there, and is what its layers were made against.
#include <fmt/core.h>

#include "doctor/checks.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/fingerprint.hpp"

namespace hrvm::doctor {

static Results examine(const sys::Host& host, const machine::Machine& machine) {
  const auto& definition = machine.definition;
  const auto state = machine::examine_base(host, definition, definition.active);
  switch (state.drift) {
    case machine::Drift::none:
      return {};
    case machine::Drift::missing:
      return {{"base", Status::error,
               fmt::format("{}: its disk {} is not here", machine.name,
                           definition.others.empty() ? definition.base.path : base::join(state.reasons, "; ")),
               fmt::format("attach it, then: hrvm verify {}", machine.name)}};
    case machine::Drift::changed:
      return {{"base", Status::error,
               fmt::format("{}: its disk {} has changed: {}", machine.name, definition.base.path,
                           base::join(state.reasons, "; ")),
               fmt::format("hrvm reset {}   (its changes are kept for hrvm undo)", machine.name)}};
  }
  return {};
}

Results check_base(const Circumstances& at) {
  auto problems =
      for_each_machine(at, "base", [&](const machine::Machine& machine) { return examine(at.host, machine); });
  return or_ok("base", std::move(problems), "every machine's disk is there and unchanged");
}

}  // namespace hrvm::doctor
