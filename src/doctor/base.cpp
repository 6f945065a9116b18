// Whether the base of each machine is there, and is what its layers were made against.
#include "doctor/checks.hpp"
#include "hrvm/machine/objection.hpp"

namespace hrvm::doctor {

// A warning is one sentence for all purposes, so that it does not begin with the machine.
static std::string said_of(const machine::Machine& machine, const machine::Objection& objection) {
  return objection.is_warning ? machine.name + ": " + objection.error.message() : objection.error.message();
}

static Results examine(machine::BaseExaminer& examiner, const machine::Machine& machine) {
  const auto base = examiner.examine(machine.definition, machine.definition.active);
  Results results;
  for (const auto& objection : objections(machine, base, machine::Purpose::checkup))
    results.push_back({"base", objection.is_warning ? Status::warning : Status::error, said_of(machine, objection),
                       objection.error.hint()});
  return results;
}

Results check_base(const Circumstances& at) {
  machine::BaseExaminer examiner(at.host);
  auto problems =
      for_each_machine(at, "base", [&](const machine::Machine& machine) { return examine(examiner, machine); });
  return or_ok("base", std::move(problems), "every machine's disk is there and unchanged");
}

}  // namespace hrvm::doctor
