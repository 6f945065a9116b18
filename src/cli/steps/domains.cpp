#include "cli/steps/domains.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"

namespace hrvm::cli {
namespace {

using base::Error;
using launch::Domain;
using launch::DomainAway;
using machine::Machine;

std::string with_advice(const Error& error, const machine::Path& record) {
  const auto gone = fmt::format("where that libvirt is no more, remove {}", base::shell_quote(record.string()));
  return error.hint().empty() ? gone : error.hint() + "; " + gone;
}

// A domain that stays defined could be started on a layer that is frozen by then: so nothing is changed.
std::optional<DomainAway> take_away(const Context& context, const Machine& machine) {
  try {
    return DomainAway::take(context.host, machine);
  } catch (const Error& error) {
    if (error.kind() != base::ErrorKind::external && error.kind() != base::ErrorKind::not_found) throw;
    throw Error(error.kind(),
                fmt::format("{} is a domain of libvirt, which has to be told: {}", machine.name, error.message()))
        .hint(with_advice(error, launch::domain_record_path(machine.folder)));
  }
}

void put_back(const Context& context, const DomainAway& domain, const std::string& name) {
  try {
    domain.put_back();
  } catch (const Error& error) {
    context.warn(fmt::format("the domain is not defined any more (hrvm boot {} --libvirt defines it): {}", name,
                             error.message()));
  }
}

void define_anew(const Context& context, const DomainAway& domain, const Machine& machine) {
  const auto again = fmt::format("hrvm boot {} --libvirt defines it", machine.name);
  try {
    if (domain.define_for(machine)) return;
    context.note(fmt::format("{} is no domain of libvirt until its next boot makes its UEFI variables: {}",
                             machine.name, again));
  } catch (const Error& error) {
    context.warn(fmt::format("{} is no domain of libvirt any more ({}): {}", machine.name, again, error.message()));
  }
}

}  // namespace

Machine change_with_domain(const Context& context, const Machine& machine, const std::function<Machine()>& change) {
  const auto domain = take_away(context, machine);
  if (!domain) return change();
  try {
    auto changed = change();
    define_anew(context, *domain, changed);
    return changed;
  } catch (const Error&) {
    put_back(context, *domain, machine.name);
    throw;
  }
}

void define_left_over(const Context& context, const Machine& machine) {
  try {
    if (const auto domain = DomainAway::left_over(context.host, machine)) domain->define_for(machine);
  } catch (const Error& error) {
    context.warn(fmt::format("{} is no domain of libvirt any more: {}", machine.name, error.message()));
  }
}

std::optional<launch::DomainRecord> record_of_leaving(const Context& context, const machine::Path& folder) {
  try {
    return launch::domain_record(folder);
  } catch (const Error& error) {
    context.warn(error.message());
    return std::nullopt;
  }
}

void check_ended(const Context& context, const launch::DomainRecord& record, const std::string& machine) {
  try {
    if (!Domain(context.host, record).is_active()) return;
  } catch (const Error&) {
    return;
  }
  throw Error(base::ErrorKind::busy, fmt::format("machine {} is running in libvirt at {}", machine, record.uri))
      .hint(fmt::format("stop it first: hrvm stop {}", machine));
}

void undefine_for_good(const Context& context, const launch::DomainRecord& record) {
  const Domain domain(context.host, record);
  try {
    if (domain.undefine_for_good()) return;
    if (context.verbose) context.note(fmt::format("{} has no domain of this machine", record.uri));
  } catch (const Error& error) {
    context.warn(fmt::format("the domain {} stays defined: {}", record.name, error.message()));
    context.hint("run this later: " + domain.command_line("undefine --nvram"));
  }
}

}  // namespace hrvm::cli
