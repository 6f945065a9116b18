#include "hrvm/launch/machine_domain.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/machine/objection.hpp"

namespace hrvm::launch {
namespace {

using base::Error;
using base::ErrorKind;
using machine::Machine;

std::string with_advice(const Error& error, const machine::Path& record) {
  const auto gone = fmt::format("where that libvirt is no more, remove {}", base::shell_quote(record.string()));
  return error.hint().empty() ? gone : error.hint() + "; " + gone;
}

// A domain that stays defined could be started on a layer that is frozen by then: so nothing is changed.
std::optional<DomainAway> take_away(const sys::Host& host, const Machine& machine) {
  try {
    return DomainAway::take(host, machine);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::external && error.kind() != ErrorKind::not_found) throw;
    throw Error(error.kind(),
                fmt::format("{} is a domain of libvirt, which has to be told: {}", machine.name, error.message()))
        .hint(with_advice(error, domain_record_path(machine.folder)));
  }
}

void put_back(const Listener& listener, const DomainAway& domain, const std::string& name) {
  try {
    domain.put_back();
  } catch (const Error& error) {
    listener.warn(fmt::format("the domain is not defined any more (hrvm boot {} --libvirt defines it): {}", name,
                              error.message()));
  }
}

void define_anew(const Listener& listener, const DomainAway& domain, const Machine& machine) {
  const auto again = fmt::format("hrvm boot {} --libvirt defines it", machine.name);
  try {
    if (domain.define_for(machine)) return;
    listener.note(fmt::format("{} is no domain of libvirt until its next boot makes its UEFI variables: {}",
                              machine.name, again));
  } catch (const Error& error) {
    listener.warn(fmt::format("{} is no domain of libvirt any more ({}): {}", machine.name, again, error.message()));
  }
}

}  // namespace

Machine change_with_domain(const sys::Host& host, const Listener& listener, const Machine& machine,
                           const std::function<Machine()>& change) {
  const auto domain = take_away(host, machine);
  if (!domain) return change();
  try {
    auto changed = change();
    define_anew(listener, *domain, changed);
    return changed;
  } catch (const Error&) {
    put_back(listener, *domain, machine.name);
    throw;
  }
}

void define_left_over(const sys::Host& host, const Listener& listener, const Machine& machine) {
  try {
    if (const auto domain = DomainAway::left_over(host, machine)) domain->define_for(machine);
  } catch (const Error& error) {
    listener.warn(fmt::format("{} is no domain of libvirt any more: {}", machine.name, error.message()));
  }
}

void check_domain_is_off(const sys::Host& host, const Listener& listener, const Machine& machine,
                         bool boots_in_libvirt) {
  const auto record = domain_record(machine.folder);
  if (!record) return;
  const Domain domain(host, *record);
  try {
    const auto state = domain.state();
    if (state == DomainState::missing) return;
    if (state != DomainState::off)
      throw machine::running(machine.name, fmt::format("is running already, in libvirt at {}", record->uri));
    if (!boots_in_libvirt) domain.check_nothing_saved();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::busy) throw;
    if (listener.verbose) listener.warn(error.message());
  }
}

// The record first: a domain that no record names would not be found again.
void run_in_libvirt(const sys::Host& host, const Machine& machine, const LaunchPlan& plan, const std::string& uri) {
  const Domain domain(host, {uri, plan.name, plan.uuid});
  const auto xml = domain_xml(plan);
  undefine_elsewhere(host, machine, domain.record());
  keep_domain_record(machine.folder, domain.record());
  domain.define(xml, plan.control.run_folder / "domain.xml");
  DomainAway::forget(machine.folder);
  domain.start();
}

std::optional<DomainRecord> record_of_leaving(const Listener& listener, const machine::Path& folder) {
  try {
    return domain_record(folder);
  } catch (const Error& error) {
    listener.warn(error.message());
    return std::nullopt;
  }
}

void check_ended(const sys::Host& host, const DomainRecord& record, const std::string& machine) {
  try {
    if (!Domain(host, record).is_active()) return;
  } catch (const Error&) {
    return;
  }
  throw machine::running(machine, fmt::format("is running in libvirt at {}", record.uri));
}

void undefine_for_good(const sys::Host& host, const Listener& listener, const DomainRecord& record) {
  const Domain domain(host, record);
  try {
    if (domain.undefine_for_good()) return;
    if (listener.verbose) listener.note(fmt::format("{} has no domain of this machine", record.uri));
  } catch (const Error& error) {
    listener.warn(fmt::format("the domain {} stays defined: {}", record.name, error.message()));
    listener.hint("run this later: " + domain.command_line("undefine --nvram"));
  }
}

}  // namespace hrvm::launch
