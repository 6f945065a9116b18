#include "cli/steps/autostart.hpp"

#include <fmt/core.h>

#include "hrvm/base/error.hpp"
#include "hrvm/base/text.hpp"
#include "hrvm/launch/autostart.hpp"
#include "hrvm/launch/domain.hpp"

namespace hrvm::cli {
namespace {

using base::Error;

std::string order(const std::string& name, bool enabled) {
  return fmt::format("systemctl {} {}", enabled ? "enable" : "disable", launch::unit_of(name));
}

void enable(const Context& context, const std::string& name, bool enabled) {
  try {
    launch::enable_unit(context.host, name, enabled);
  } catch (const Error& error) {
    context.warn(error.message());
    context.hint("when it can be done: " + order(name, enabled));
  }
}

// Another store may have a machine of this name: its unit is left alone.
void set_unit(const Context& context, const machine::Store& store, const std::string& name, bool wanted) {
  if (context.host.is_recorded() || launch::has_unit(context.host, name) == wanted) return;
  const auto unit = launch::unit_of(name);
  if (!launch::is_store_of_units(store)) {
    if (!wanted) return;
    context.warn(fmt::format("{} boots a machine of {}, and this one lies in {}", unit,
                             launch::store_of_units().string(), store.folder().string()));
    context.hint(fmt::format("systemctl edit {}, with the lines [Service] and Environment=HRVM_STORE={}; then {}", unit,
                             base::shell_quote(store.folder().string()), order(name, true)));
  } else if (!context.host.is_root()) {
    context.warn("only root can have a machine start with the host, or no more");
    context.hint("as root: " + order(name, wanted));
  } else {
    enable(context, name, wanted);
    if (wanted) context.hint("start it as the host will: systemctl start " + unit);
  }
}

void set_domain(const Context& context, const launch::DomainRecord& record, bool wanted) {
  const launch::Domain domain(context.host, record);
  try {
    domain.set_starts_by_itself(wanted);
  } catch (const Error& error) {
    context.warn(error.message());
    context.hint("when it can be done: " + domain.command_line(wanted ? "autostart" : "autostart --disable"));
  }
}

}  // namespace

void follow_autostart(const Context& context, const machine::Store& store, const machine::Machine& machine) {
  const bool wanted = machine.definition.autostart;
  const auto record = launch::domain_record(machine.folder);
  if (record) set_domain(context, *record, wanted);
  set_unit(context, store, machine.name, wanted && !record);
}

void end_autostart(const Context& context, const machine::Store& store, const std::string& name) {
  set_unit(context, store, name, false);
}

}  // namespace hrvm::cli
