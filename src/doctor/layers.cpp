// Layers that are not what their machine's definition says, or not what they were when they were frozen.
#include "hrvm/machine/layers.hpp"

#include "doctor/checks.hpp"
#include "hrvm/base/error.hpp"

namespace hrvm::doctor {

static bool is_complete(const machine::Store& store, const machine::Machine& machine) {
  try {
    store.check_presence(machine);
    return true;
  } catch (const base::Error&) {  // told by check_definition
    return false;
  }
}

Results check_layers(const Circumstances& at) {
  auto problems = for_each_machine(at, "layers", [&](const machine::Machine& machine) {
    Results found;
    if (!is_complete(at.store, machine)) return found;
    for (const auto& fault : machine::layer_faults(machine))
      found.push_back({"layers", Status::error, machine.name + ": " + fault.message(), fault.hint()});
    for (const auto& snapshot : machine.definition.snapshots)
      if (const auto fault = machine::memory_fault(machine, snapshot))
        found.push_back({"layers", Status::warning, machine.name + ": " + fault->message(), fault->hint()});
    return found;
  });
  return or_ok("layers", std::move(problems), "every layer is what its machine made of it");
}

}  // namespace hrvm::doctor
