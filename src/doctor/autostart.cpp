// Machines that are to start with the host, and the units of systemd or domains of libvirt that would start them.
#include <fmt/core.h>

#include "doctor/checks.hpp"
#include "hrvm/launch/autostart.hpp"
#include "hrvm/launch/domain.hpp"

namespace hrvm::doctor {
namespace {

CheckResult warning(std::string message, std::string remedy) {
  return {"autostart", Status::warning, std::move(message), std::move(remedy)};
}

std::string order(std::string_view verb, std::string_view machine) {
  return fmt::format("systemctl {} {}", verb, launch::unit_of(machine));
}

Results examine_domain(const sys::Host& host, const machine::Machine& machine, const launch::DomainRecord& record) {
  if (host.is_recorded()) return {};
  Results problems;
  if (const launch::Domain domain(host, record); machine.definition.autostart && !domain.starts_by_itself())
    problems.push_back(warning(fmt::format("libvirt does not start {} with the host", machine.name),
                               domain.command_line("autostart")));
  if (launch::has_unit(host, machine.name))
    problems.push_back(
        warning(fmt::format("{} starts {}, which libvirt has", launch::unit_of(machine.name), machine.name),
                order("disable", machine.name)));
  return problems;
}

// Of another store the units know what a person told them.
Results examine_unit(const Circumstances& at, const machine::Machine& machine) {
  const bool has_unit = launch::has_unit(at.host, machine.name), wanted = machine.definition.autostart;
  // Of another store the unit has to be told.
  const auto enabling = launch::is_store_of_units(at.store) ? order("enable", machine.name)
                                                            : fmt::format("hrvm set {} autostart=on", machine.name);
  if (wanted && !launch::is_unit_installed(at.host))
    return {warning(fmt::format("{} does not start with the host: hrvm@.service is not installed", machine.name),
                    "install hrvm with its unit, then " + enabling)};
  if (wanted && !has_unit)
    return {warning(fmt::format("{} does not start with the host: its unit is not enabled", machine.name), enabling)};
  if (!wanted && has_unit && launch::is_store_of_units(at.store))
    return {warning(fmt::format("{} starts with the host, which it does not know: a rename or removal would leave {}",
                                machine.name, launch::unit_of(machine.name)),
                    fmt::format("hrvm set {} autostart=on, or {}", machine.name, order("disable", machine.name)))};
  return {};
}

Results examine(const Circumstances& at, const machine::Machine& machine) {
  if (const auto record = launch::domain_record(machine.folder)) return examine_domain(at.host, machine, *record);
  return examine_unit(at, machine);
}

}  // namespace

Results check_autostart(const Circumstances& at) {
  auto problems =
      for_each_machine(at, "autostart", [&](const machine::Machine& machine) { return examine(at, machine); });
  if (!at.machine && launch::is_store_of_units(at.store))
    for (const auto& name : launch::machines_with_unit(at.host))
      if (!at.store.contains(name))
        problems.push_back(warning(fmt::format("{} is for a machine that is not there", launch::unit_of(name)),
                                   order("disable", name)));
  return or_ok("autostart", std::move(problems), "what is to start with the host does");
}

}  // namespace hrvm::doctor
