// Domains of libvirt that a change of their machine undefined, and that it did not come to define again.
#include <fmt/core.h>

#include "doctor/checks.hpp"
#include "hrvm/launch/domain.hpp"

namespace hrvm::doctor {
namespace {

using launch::DomainAway;

Results examine(const sys::Host& host, const machine::Machine& machine) {
  const auto domain = DomainAway::left_over(host, machine);
  if (!domain || domain->waits_for_variables(machine)) return {};
  return {{"domains", Status::warning,
           fmt::format("{} is no domain of libvirt any more: a change of it was cut off", machine.name),
           "hrvm doctor --fix"}};
}

}  // namespace

Results check_domains(const Circumstances& at) {
  auto problems =
      for_each_machine(at, "domains", [&](const machine::Machine& machine) { return examine(at.host, machine); });
  return or_ok("domains", std::move(problems), "no change has left a domain of libvirt undefined");
}

void fix_domains(const Circumstances& at) {
  for (const auto& each : machines(at)) {
    const auto lock = at.store.lock(each.name);
    const auto machine = at.store.load(each.name);
    if (const auto domain = DomainAway::left_over(at.host, machine)) domain->define_for(machine);
  }
}

}  // namespace hrvm::doctor
